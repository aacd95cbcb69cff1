#include "cli/environment.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const pd_environment_variable variables[] = {
    { "XDG_DATA_HOME", "the library is pixel-detective in there (default: ~/.local/share)" },
    { "XDG_CACHE_HOME", "thumbnails and prepared models are in pixel-detective in there (default: ~/.cache)" },
    { "DISPLAY, WAYLAND_DISPLAY", "when one is set, serve opens the page in the browser" },
    { "HF_ENDPOINT", "the hub that model pull asks (default: https://huggingface.co)" },
    { "HF_TOKEN", "who is asking, for models that are not given to everybody; sent to the hub alone, never shown" },
    { "HF_HUB_OFFLINE", "when set, and not 0: the hub is not asked" },
    { "HTTPS_PROXY, ALL_PROXY, NO_PROXY", "how model pull reaches it, as for curl" },
    { "SSL_CERT_FILE, SSL_CERT_DIR",
      "whom model pull trusts, instead of the system's file, and folder, of certificates" },
    { "NO_COLOR", "when set and not empty: no colours on the terminal" },
};

const pd_environment_variable *pd_environment_variables(size_t *ret_n)
{
    *ret_n = PD_COUNT_OF(variables);
    return variables;
}

static bool is_set(const char *value) { return value && *value; }

/* What the user database or HOME tells; PD_ERR_NOT_FOUND: nothing. */
static pd_status find_home(pd_buf *buf)
{
    const char *home = getenv("HOME");
    if (is_set(home) && home[0] == '/')
        return pd_buf_append_string(buf, home);
    struct passwd entry, *found = NULL;
    char space[4096];
    if (getpwuid_r(getuid(), &entry, space, sizeof space, &found) == 0 && found && found->pw_dir[0] == '/')
        return pd_buf_append_string(buf, found->pw_dir);
    return PD_ERR_NOT_FOUND;
}

static pd_status append_home(pd_buf *buf, const char *xdg_name, pd_error *err)
{
    if (find_home(buf) != PD_ERR_NOT_FOUND)
        return PD_OK; /* a failure is remembered in the buffer */
    return pd_error_set(err, PD_ERR_NOT_FOUND,
                        "this user has no home directory; set HOME or %s to an absolute directory", xdg_name);
}

static pd_status read_directory(pd_buf *buf, const char *xdg_name, const char *below_home, pd_error *err)
{
    pd_buf_init(buf, PATH_MAX);
    const char *value = getenv(xdg_name);
    if (is_set(value) && value[0] == '/') {
        (void)pd_buf_append_string(buf, value);
    } else {
        PD_TRY(append_home(buf, xdg_name, err));
        (void)pd_buf_append_string(buf, below_home);
    }
    if (buf->status == PD_ERR_LIMIT)
        return pd_error_set(err, PD_ERR_LIMIT, "%s (or HOME) is longer than %d bytes", xdg_name, PATH_MAX);
    return buf->status == PD_OK ? PD_OK : pd_error_set_nomem(err);
}

static bool locale_is_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (is_set(value))
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

/* As huggingface_hub reads its switches. */
static bool is_on(const char *value)
{
    static const char *const off[] = { "0", "no", "off", "false" };
    for (size_t i = 0; is_set(value) && i < PD_COUNT_OF(off); i++)
        if (strcasecmp(value, off[i]) == 0)
            return false;
    return is_set(value);
}

static const char *text_of(const char *name)
{
    const char *value = getenv(name);
    return is_set(value) ? value : NULL;
}

pd_status pd_environment_read(pd_environment *ret_environment, pd_error *err)
{
    const char *term = getenv("TERM");
    pd_environment environment = {
        .color = !is_set(getenv("NO_COLOR")),
        .terminal = is_set(term) && strcmp(term, "dumb") != 0,
        .utf8 = locale_is_utf8(),
        .hub_endpoint = text_of("HF_ENDPOINT"),
        .hub_token = text_of("HF_TOKEN"),
        .hub_offline = is_on(getenv("HF_HUB_OFFLINE")),
        .desktop = is_set(getenv("DISPLAY")) || is_set(getenv("WAYLAND_DISPLAY")),
    };
    pd_buf_init(&environment.home, PATH_MAX);
    (void)find_home(&environment.home); /* nobody needs it but the folder browser */
    pd_status status = read_directory(&environment.data_home, "XDG_DATA_HOME", "/.local/share", err);
    if (status == PD_OK)
        status = read_directory(&environment.cache_home, "XDG_CACHE_HOME", "/.cache", err);
    if (status != PD_OK) {
        pd_environment_done(&environment);
        return status;
    }
    *ret_environment = environment;
    return PD_OK;
}

void pd_environment_done(pd_environment *environment)
{
    pd_buf_done(&environment->data_home);
    pd_buf_done(&environment->cache_home);
    pd_buf_done(&environment->home);
}
