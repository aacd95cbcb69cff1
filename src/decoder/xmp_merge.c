#include "decoder/xmp_merge.h"

#include <string.h>
#include <strings.h>

#include <expat.h>

#include "base/mem.h"
#include "decoder/xmp.h"
#include "media/media.h"

enum {
    DEPTH_MAX = 64,
    NAME_BYTES_MAX = 256,
    EDITS = 2, /* the list of keywords, our own part */
};

/* As expat tells them: a namespace, a space, a local name. */
#define URI_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define URI_DC "http://purl.org/dc/elements/1.1/"
#define URI_XMP "http://ns.adobe.com/xap/1.0/"
#define URI_OURS "urn:pixel-detective:xmp:1.0/"

#define RDF(name) URI_RDF " " name

typedef enum property { TITLE, DESCRIPTION, SUBJECT, RATING, PROPERTY_COUNT, NOTHING = PROPERTY_COUNT } property;

typedef struct span {
    size_t from, to; /* bytes of the document */
} span;

/* A place in the document, and what stands there instead. */
typedef struct edit {
    span old;
    pd_buf text;
} edit;

typedef struct merge {
    XML_Parser parser;
    const char *data;
    size_t len;
    unsigned depth;
    unsigned rdf_depth;      /* of rdf:RDF; 0: not seen yet */
    unsigned ours_depth;     /* inside our own Description; 0: outside */
    span ours;               /* our former Description, with the blanks before it */
    bool has_ours, is_wrong; /* is_wrong: stopped, `why` says it */
    size_t rdf_end;          /* of the content of rdf:RDF: where </rdf:RDF> begins */
    char *about;             /* heap: of the first Description; NULL: none */
    property open;           /* the property of somebody else that is being read */
    bool others[PROPERTY_COUNT];
    bool has_list;                    /* of keywords that are somebody else's */
    size_t list_end;                  /* where </rdf:Bag> begins */
    char list_prefix[NAME_BYTES_MAX]; /* "rdf:" as the list's own tag has it */
    bool is_in_list, is_in_item;
    pd_buf item;     /* the keyword being read */
    pd_buf keywords; /* theirs, each followed by a NUL */
    pd_status status;
    const char *why;
} merge;

static void stop(merge *m, pd_status status, const char *why)
{
    if (m->status == PD_OK) {
        m->status = status;
        m->why = why;
    }
    (void)XML_StopParser(m->parser, XML_FALSE);
}

static size_t at_event(const merge *m) { return (size_t)XML_GetCurrentByteIndex(m->parser); }

static size_t behind_event(const merge *m) { return at_event(m) + (size_t)XML_GetCurrentByteCount(m->parser); }

static property find_property(const char *name)
{
    static const char *const names[PROPERTY_COUNT] = { [TITLE] = URI_DC " title",
                                                       [DESCRIPTION] = URI_DC " description",
                                                       [SUBJECT] = URI_DC " subject",
                                                       [RATING] = URI_XMP " Rating" };
    for (int i = 0; i < PROPERTY_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            return (property)i;
    return NOTHING;
}

/* The tag's own prefix, colon included; "" when it has none. */
static void copy_prefix(merge *m, size_t at, char ret_prefix[NAME_BYTES_MAX])
{
    const char *name = m->data + at + 1;
    size_t len = 0;
    while (at + 1 + len < m->len && len < NAME_BYTES_MAX && !strchr(" \t\r\n/>:", name[len]))
        len++;
    if (len + 1 >= NAME_BYTES_MAX || name[len] != ':')
        len = 0;
    else
        len++;
    memcpy(ret_prefix, name, len);
    ret_prefix[len] = '\0';
}

static size_t before_blanks(const merge *m, size_t at)
{
    while (at > 0 && strchr(" \t", m->data[at - 1]))
        at--;
    if (at > 0 && m->data[at - 1] == '\n')
        at--;
    return at > 0 && m->data[at - 1] == '\r' ? at - 1 : at;
}

static void open_description(merge *m, const XML_Char **attributes)
{
    bool is_ours = false;
    for (size_t i = 0; attributes[i]; i += 2)
        is_ours |= strcmp(attributes[i], URI_OURS " wrote") == 0;
    if (is_ours && m->has_ours) {
        stop(m, PD_ERR_UNSUPPORTED, "the sidecar has two parts that say they are ours");
        return;
    }
    if (is_ours) {
        m->has_ours = true;
        m->ours_depth = m->depth;
        m->ours.from = before_blanks(m, at_event(m));
        return;
    }
    for (size_t i = 0; attributes[i]; i += 2) {
        const property named = find_property(attributes[i]);
        if (named != NOTHING)
            m->others[named] = true;
        if (!m->about && strcmp(attributes[i], RDF("about")) == 0 && !(m->about = pd_mem_dup_string(attributes[i + 1])))
            stop(m, PD_ERR_NOMEM, "");
    }
}

static void open_list(merge *m)
{
    const size_t end = behind_event(m);
    if (m->has_list || (end >= 2 && m->data[end - 2] == '/')) {
        stop(m, PD_ERR_UNSUPPORTED, "the keywords in the sidecar have a shape that nothing can be added to");
        return;
    }
    m->has_list = m->is_in_list = true;
    copy_prefix(m, at_event(m), m->list_prefix);
}

static bool is_list(const char *name)
{
    return strcmp(name, RDF("Bag")) == 0 || strcmp(name, RDF("Seq")) == 0 || strcmp(name, RDF("Alt")) == 0;
}

static void open_rdf(merge *m)
{
    const size_t end = behind_event(m);
    if (end >= 2 && m->data[end - 2] == '/')
        stop(m, PD_ERR_UNSUPPORTED, "the sidecar holds an RDF element that nothing can be added to");
    m->rdf_depth = m->depth;
}

static void open_level(merge *m, const XML_Char *name, const XML_Char **attributes)
{
    const unsigned level = m->depth - m->rdf_depth; /* 1: Description, 2: property, 3: its list, 4: an item */
    if (level == 1)
        open_description(m, attributes);
    else if (level == 2 && (m->open = find_property(name)) != NOTHING)
        m->others[m->open] = true;
    else if (level == 3 && m->open == SUBJECT && is_list(name))
        open_list(m);
    else if (level == 4 && m->is_in_list && strcmp(name, RDF("li")) == 0) {
        m->is_in_item = true;
        pd_buf_clear(&m->item);
    }
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    merge *m = user;
    if (m->depth == DEPTH_MAX) {
        stop(m, PD_ERR_UNSUPPORTED, "the sidecar's elements lie too deep in each other");
        return;
    }
    m->depth++;
    if (!m->rdf_depth && !m->rdf_end && strcmp(name, RDF("RDF")) == 0) {
        open_rdf(m);
        return;
    }
    if (!m->rdf_depth || m->ours_depth)
        return;
    open_level(m, name, attributes);
}

static void close_item(merge *m)
{
    size_t len = m->item.len, at = 0;
    while (len > 0 && strchr(" \t\r\n", m->item.data[len - 1]))
        len--;
    while (at < len && strchr(" \t\r\n", m->item.data[at]))
        at++;
    (void)pd_buf_append(&m->keywords, len > at ? m->item.data + at : "", len - at);
    (void)pd_buf_append(&m->keywords, "", 1);
    if (m->keywords.status != PD_OK || m->item.status == PD_ERR_NOMEM)
        stop(m, PD_ERR_NOMEM, "");
    m->is_in_item = false;
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    merge *m = user;
    (void)name;
    if (m->ours_depth == m->depth) {
        m->ours.to = behind_event(m);
        m->ours_depth = 0;
    } else if (m->rdf_depth == m->depth) {
        m->rdf_end = at_event(m);
        m->rdf_depth = 0;
    } else if (m->rdf_depth && !m->ours_depth) {
        const unsigned level = m->depth - m->rdf_depth;
        if (level == 4 && m->is_in_item)
            close_item(m);
        if (level == 3 && m->is_in_list) {
            m->list_end = at_event(m);
            m->is_in_list = false;
        }
        if (level == 2)
            m->open = NOTHING;
    }
    m->depth--;
}

static void XMLCALL on_text(void *user, const XML_Char *text, int len)
{
    merge *m = user;
    if (m->is_in_item)
        (void)pd_buf_append(&m->item, text, (size_t)len);
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
                               int has_internal_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
    stop(user, PD_ERR_UNSUPPORTED, "the sidecar has a document type, which XMP has not");
}

static void XMLCALL on_declaration(void *user, const XML_Char *version, const XML_Char *encoding, int standalone)
{
    (void)version, (void)standalone;
    if (encoding && strcasecmp(encoding, "UTF-8") != 0 && strcasecmp(encoding, "US-ASCII") != 0)
        stop(user, PD_ERR_UNSUPPORTED, "the sidecar is not written in UTF-8");
}

static void *allocate(size_t size) { return pd_mem_alloc(size, 1); }
static void *reallocate(void *ptr, size_t size) { return pd_mem_realloc(ptr, size, 1); }

static pd_status parse(merge *m, pd_error *err)
{
    static const XML_Memory_Handling_Suite memory = { allocate, reallocate, pd_mem_free };
    if (memchr(m->data, '\0', m->len))
        return pd_error_set(err, PD_ERR_UNSUPPORTED, "the sidecar is not written in UTF-8");
    m->parser = XML_ParserCreate_MM(NULL, &memory, " ");
    if (!m->parser)
        return pd_error_set_nomem(err);
    XML_SetUserData(m->parser, m);
    XML_SetElementHandler(m->parser, on_start, on_end);
    XML_SetCharacterDataHandler(m->parser, on_text);
    XML_SetStartDoctypeDeclHandler(m->parser, on_doctype);
    XML_SetXmlDeclHandler(m->parser, on_declaration);
    (void)XML_SetParamEntityParsing(m->parser, XML_PARAM_ENTITY_PARSING_NEVER);
    /* or expat asks the system for randomness, which the sandbox may refuse */
    (void)XML_SetHashSalt(m->parser, (unsigned long)(uintptr_t)m | 1);
    const enum XML_Status parsed = XML_Parse(m->parser, m->data, (int)m->len, XML_TRUE);
    const bool no_memory = XML_GetErrorCode(m->parser) == XML_ERROR_NO_MEMORY || m->status == PD_ERR_NOMEM;
    XML_ParserFree(m->parser);
    m->parser = NULL;
    if (no_memory)
        return pd_error_set_nomem(err);
    if (m->status != PD_OK)
        return pd_error_set(err, m->status, "%s", m->why);
    if (parsed != XML_STATUS_OK)
        return pd_error_set(err, PD_ERR_FORMAT, "the sidecar is damaged");
    if (!m->rdf_end)
        return pd_error_set(err, PD_ERR_FORMAT, "the sidecar is no XMP: it holds no RDF");
    return PD_OK;
}

static void append_escaped(pd_buf *buf, const char *text)
{
    for (; *text; text++) {
        const char *escaped = *text == '&'   ? "&amp;"
                              : *text == '<' ? "&lt;"
                              : *text == '>' ? "&gt;"
                              : *text == '"' ? "&quot;"
                                             : NULL;
        if (escaped)
            (void)pd_buf_append_string(buf, escaped);
        else
            (void)pd_buf_append(buf, text, 1);
    }
}

static bool is_theirs(const merge *m, const char *keyword)
{
    for (size_t at = 0; at < m->keywords.len; at += strlen(m->keywords.data + at) + 1)
        if (strcasecmp(m->keywords.data + at, keyword) == 0)
            return true;
    return false;
}

static void say_alternative(pd_buf *buf, const char *name, const char *text)
{
    (void)pd_buf_appendf(buf, "   <dc:%s>\n    <rdf:Alt>\n     <rdf:li xml:lang=\"x-default\">", name);
    append_escaped(buf, text);
    (void)pd_buf_appendf(buf, "</rdf:li>\n    </rdf:Alt>\n   </dc:%s>\n", name);
}

/* The keywords that are missing, as items. */
static void say_keywords(const merge *m, pd_texts texts, const char *indent, const char *prefix, pd_buf *buf)
{
    for (const char *text = pd_texts_next(texts, NULL); text; text = pd_texts_next(texts, text)) {
        if (pd_texts_kind(text) != PD_TEXT_KEYWORD || is_theirs(m, text))
            continue;
        (void)pd_buf_appendf(buf, "%s<%sli>", indent, prefix);
        append_escaped(buf, text);
        (void)pd_buf_appendf(buf, "</%sli>\n", prefix);
    }
}

/* Our Description, or nothing. */
static void say_ours(const merge *m, const pd_xmp_wishes *wishes, pd_buf *buf)
{
    const char *title = m->others[TITLE] ? NULL : pd_texts_find(wishes->texts, PD_TEXT_TITLE);
    const char *description = m->others[DESCRIPTION] ? NULL : pd_texts_find(wishes->texts, PD_TEXT_DESCRIPTION);
    const bool rates = !m->others[RATING] && wishes->rating != PD_MEDIA_ABSENT;
    const bool tags = !m->others[SUBJECT] && pd_texts_find(wishes->texts, PD_TEXT_KEYWORD);
    if (!title && !description && !rates && !tags)
        return;
    (void)pd_buf_append_string(buf, "\n  <rdf:Description xmlns:rdf=\"" URI_RDF "\" rdf:about=\"");
    append_escaped(buf, m->about ? m->about : "");
    (void)pd_buf_append_string(buf, "\"\n    xmlns:dc=\"" URI_DC "\" xmlns:xmp=\"" URI_XMP "\"\n"
                                    "    xmlns:pixeldetective=\"" URI_OURS "\" pixeldetective:wrote=\"1\"");
    if (rates)
        (void)pd_buf_appendf(buf, " xmp:Rating=\"%d\"", (int)wishes->rating);
    (void)pd_buf_append_string(buf, ">\n");
    if (title)
        say_alternative(buf, "title", title);
    if (description)
        say_alternative(buf, "description", description);
    if (tags) {
        (void)pd_buf_append_string(buf, "   <dc:subject>\n    <rdf:Bag>\n");
        say_keywords(m, wishes->texts, "     ", "rdf:", buf);
        (void)pd_buf_append_string(buf, "    </rdf:Bag>\n   </dc:subject>\n");
    }
    (void)pd_buf_append_string(buf, "  </rdf:Description>");
}

static pd_status say_more_keywords(const merge *m, const pd_xmp_wishes *wishes, pd_buf *buf, pd_error *err)
{
    if (!m->others[SUBJECT] || !pd_texts_find(wishes->texts, PD_TEXT_KEYWORD))
        return PD_OK;
    if (!m->has_list)
        return pd_error_set(err, PD_ERR_UNSUPPORTED,
                            "the keywords in the sidecar have a shape that nothing can be added to");
    say_keywords(m, wishes->texts, "", m->list_prefix, buf);
    return PD_OK;
}

/* The places that change, in the order of the document. */
static pd_status plan(const merge *m, const pd_xmp_wishes *wishes, edit edits[EDITS], pd_error *err)
{
    edit *list = &edits[0], *ours = &edits[1];
    list->old = (span){ m->list_end, m->list_end };
    PD_TRY(say_more_keywords(m, wishes, &list->text, err));
    const size_t end = before_blanks(m, m->rdf_end);
    ours->old = m->has_ours ? m->ours : (span){ end, end };
    say_ours(m, wishes, &ours->text);
    if (list->text.status != PD_OK || ours->text.status != PD_OK)
        return pd_error_set_nomem(err);
    if (ours->old.from < list->old.from) {
        const edit first = *ours;
        *ours = *list;
        *list = first;
    }
    return PD_OK;
}

static pd_status apply(const merge *m, const edit edits[EDITS], pd_buf *buf, pd_error *err)
{
    size_t at = 0;
    for (size_t i = 0; i < EDITS; i++) {
        const edit *e = &edits[i];
        if (e->old.from == e->old.to && e->text.len == 0)
            continue;
        (void)pd_buf_append(buf, m->data + at, e->old.from - at);
        (void)pd_buf_append(buf, e->text.len ? e->text.data : "", e->text.len);
        at = e->old.to;
    }
    if (pd_buf_append(buf, m->data + at, m->len - at) == PD_OK)
        return PD_OK;
    return buf->status == PD_ERR_LIMIT
               ? pd_error_set(err, PD_ERR_LIMIT, "the sidecar would have more than %zu MiB", PD_XMP_BYTES_MAX >> 20)
               : pd_error_set_nomem(err);
}

pd_status pd_xmp_merge(const uint8_t *data, size_t len, const pd_xmp_wishes *wishes, pd_buf *buf, pd_error *err)
{
    if (len > PD_XMP_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the sidecar has more than %zu MiB", PD_XMP_BYTES_MAX >> 20);
    merge m = { .data = (const char *)data, .len = len, .open = NOTHING };
    edit edits[EDITS] = { 0 };
    pd_buf_init(&m.item, PD_TEXTS_TEXT_BYTES_MAX);
    pd_buf_init(&m.keywords, PD_XMP_BYTES_MAX);
    pd_buf_init(&edits[0].text, PD_XMP_BYTES_MAX);
    pd_buf_init(&edits[1].text, PD_XMP_BYTES_MAX);
    pd_status status = parse(&m, err);
    if (status == PD_OK)
        status = plan(&m, wishes, edits, err);
    if (status == PD_OK)
        status = apply(&m, edits, buf, err);
    pd_buf_done(&edits[0].text);
    pd_buf_done(&edits[1].text);
    pd_buf_done(&m.item);
    pd_buf_done(&m.keywords);
    pd_mem_free(m.about);
    return status;
}
