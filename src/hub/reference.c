#include <stdio.h>
#include <string.h>

#include "hub/pipe.h"

static pd_status refuse(const char *text, pd_error *err)
{
    return pd_error_set(err, PD_ERR_USAGE,
                        "'%.100s' names no model: it is a name of 'model list', or owner/name[@revision] as on the hub",
                        text);
}

/* "main", a commit, "refs/pr/15": names with '/' between them. */
static bool is_revision(const char *text)
{
    while (*text) {
        const size_t len = strcspn(text, "/");
        if (!pd_fetch_is_name(text, len) || (text[len] && !text[len + 1]))
            return false;
        text += len + (text[len] == '/');
    }
    return true;
}

/* The folder of a model that is fetched must not look like one of another that is still arriving. */
static bool is_model_name(const char *name, size_t len)
{
    const size_t part_len = strlen(PD_PULL_PART);
    return pd_fetch_is_name(name, len) &&
           !(len >= part_len && memcmp(name + len - part_len, PD_PULL_PART, part_len) == 0);
}

static bool write_key(const char *owner, size_t owner_len, const char *name, size_t name_len, char *ret_key)
{
    const int n = snprintf(ret_key, PD_HUB_KEY_BYTES, "%.*s--%.*s", (int)owner_len, owner, (int)name_len, name);
    return n > 0 && n < PD_HUB_KEY_BYTES;
}

/* owner/name[@revision], or the key owner--name. */
static pd_status parse_repository(const char *text, pd_hub_reference *ret_reference, pd_error *err)
{
    const char *at = strchr(text, '@');
    const size_t len = at ? (size_t)(at - text) : strlen(text);
    const char *slash = memchr(text, '/', len), *dashes = strstr(text, "--");
    const bool by_key = !slash && dashes && dashes < text + len;
    const char *separator = slash ? slash : by_key ? dashes : NULL;
    if (!separator)
        return refuse(text, err);
    const char *name = separator + (by_key ? 2 : 1);
    const size_t owner_len = (size_t)(separator - text), name_len = len - (size_t)(name - text);
    const char *revision = at ? at + 1 : "main";
    if (!pd_fetch_is_name(text, owner_len) || !is_model_name(name, name_len) || !*revision || !is_revision(revision) ||
        strlen(revision) >= sizeof ret_reference->revision)
        return refuse(text, err);
    pd_hub_reference reference;
    if (!write_key(text, owner_len, name, name_len, reference.key))
        return refuse(text, err);
    (void)snprintf(reference.repository, sizeof reference.repository, "%.*s/%.*s", (int)owner_len, text, (int)name_len,
                   name);
    (void)snprintf(reference.revision, sizeof reference.revision, "%s", revision);
    *ret_reference = reference;
    return PD_OK;
}

pd_status pd_hub_reference_parse(const char *text, pd_hub_reference *ret_reference, pd_error *err)
{
    const pd_hub_entry *entry = pd_hub_find(text);
    if (!entry)
        return parse_repository(text, ret_reference, err);
    pd_hub_reference reference = { 0 };
    (void)snprintf(reference.key, sizeof reference.key, "%s", entry->key);
    (void)snprintf(reference.repository, sizeof reference.repository, "%s", entry->repository ? entry->repository : "");
    (void)snprintf(reference.revision, sizeof reference.revision, "%s", entry->revision ? entry->revision : "");
    *ret_reference = reference;
    return PD_OK;
}

void pd_hub_name(const char *endpoint, char ret_name[PD_HUB_NAME_BYTES])
{
    const char *text = endpoint && endpoint[0] ? endpoint : PD_HUB_ENDPOINT;
    const char *scheme = strstr(text, "://");
    text = scheme ? scheme + 3 : text;
    const char *host = memrchr(text, '@', strcspn(text, "/?#"));
    text = host ? host + 1 : text;
    size_t len = 0;
    for (; text[len] && len < PD_HUB_NAME_BYTES - 1; len++)
        ret_name[len] = text[len] > ' ' && text[len] <= '~' ? text[len] : '?';
    while (len && ret_name[len - 1] == '/')
        len--;
    ret_name[len] = '\0';
}
