#include "hub/report.h"

#include "base/json.h"

/* Cut where it is too long: of a sentence that is better than nothing. */
static void copy_text(char *ret_text, size_t size, const pd_json *json)
{
    pd_str text;
    if (!pd_json_read_string(json, &text) || memchr(text.ptr, '\0', text.len))
        return;
    const size_t len = text.len < size ? text.len : size - 1;
    memcpy(ret_text, text.ptr, len);
    ret_text[len] = '\0';
}

static bool read_phase(const pd_json *json, pd_pull_phase *ret_phase)
{
    pd_str name;
    if (!pd_json_read_string(json, &name))
        return false;
    for (pd_pull_phase phase = 0; phase < PD_PULL_PHASE_COUNT; phase++)
        if (pd_str_equal(name, pd_str_of(pd_fetch_phase_name(phase)))) {
            *ret_phase = phase;
            return true;
        }
    return false;
}

static bool read_outcome(const pd_json *json, pd_fetch_report *report)
{
    pd_str name;
    if (pd_json_is_null(json))
        return true;
    if (!pd_json_read_string(json, &name))
        return false;
    for (pd_status status = PD_OK; status < PD_STATUS_COUNT; status++)
        if (pd_str_equal(name, pd_str_of(pd_status_name(status)))) {
            report->is_last = true;
            report->outcome = status;
            return true;
        }
    return false;
}

static bool is_sha256(const char *text)
{
    const size_t n = strspn(text, "0123456789abcdef");
    return text[n] == '\0' && (n == 64 || n == 0);
}

static bool read_report(const pd_json *json, pd_fetch_report *report)
{
    if (!read_phase(pd_json_get(json, "phase"), &report->phase) ||
        !pd_json_read_int(pd_json_get(json, "done"), &report->done) ||
        !pd_json_read_int(pd_json_get(json, "total"), &report->total) || report->done < 0 || report->total < 0 ||
        (report->total && report->done > report->total) ||
        !pd_json_read_int(pd_json_get(json, "vision_bytes"), &report->vision_bytes) || report->vision_bytes < 0 ||
        report->vision_bytes > report->total || !read_outcome(pd_json_get(json, "outcome"), report))
        return false;
    (void)pd_json_read_bool(pd_json_get(json, "vision_ready"), &report->vision_ready);
    copy_text(report->revision, sizeof report->revision, pd_json_get(json, "revision"));
    copy_text(report->sha256, sizeof report->sha256, pd_json_get(json, "sha256"));
    copy_text(report->message, sizeof report->message, pd_json_get(json, "message"));
    copy_text(report->dir, sizeof report->dir, pd_json_get(json, "dir"));
    return is_sha256(report->sha256);
}

pd_status pd_fetch_report_parse(pd_fetch_report *ret_report, const char *line, size_t len, pd_error *err)
{
    pd_json *json = NULL;
    PD_TRY(pd_json_parse(&json, line, len, err));
    pd_fetch_report report = { 0 };
    const bool sound = read_report(json, &report);
    pd_json_free(&json);
    if (!sound)
        return pd_error_set(err, PD_ERR_FORMAT, PD_FETCH_PROGRAM " says something that makes no sense");
    *ret_report = report;
    return PD_OK;
}
