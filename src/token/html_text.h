/* html_text.h: character references (&amp; &#39; &eacute;) in text; private to this room. */
#ifndef PD_TOKEN_HTML_TEXT_H
#define PD_TOKEN_HTML_TEXT_H

#include "token/codes.h"

/* Appends the text with references replaced by the rules of HTML 5 for broken ones too: as Python's html.unescape. */
void pd_html_unescape(const pd_codes *text, pd_codes *ret_plain);

/* Only whole references, with their semicolon; those in all capitals (&EACUTE;) too. As ftfy's unescape_html. */
void pd_html_unescape_whole(const pd_codes *text, pd_codes *ret_plain);

#endif
