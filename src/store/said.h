/* said.h: all that the user, the file and machines say about one photo, weighed: what counts is what remains. */
#ifndef PD_STORE_SAID_H
#define PD_STORE_SAID_H

#include "base/buf.h"
#include "store/words.h"
#include "store/work.h"

/* A tag, a person or an album. While it is being read a text is its place in the buffer. */
typedef struct pd_said_label {
    union {
        size_t at;
        const char *text;
    } name, folded;
    pd_text_where place;
    int by;        /* a pd_said_by; 0: the user took it away */
    float score;   /* of a machine's; NAN: not known */
    bool doubtful; /* a machine's */
} pd_said_label;

typedef enum pd_said_column {
    PD_SAID_NAME,    /* of the file */
    PD_SAID_FOLDER,  /* the root's name and what lies below it */
    PD_SAID_CAPTION, /* the user's */
    PD_SAID_TITLE,   /* title and description in the file */
    PD_SAID_TAG,     /* the user's and the file's */
    PD_SAID_PERSON,
    PD_SAID_CAMERA,
    PD_SAID_OTHER,           /* artist, label, levels above a keyword */
    PD_SAID_MACHINE_CAPTION, /* where it counts */
    PD_SAID_MACHINE_TAG,
    PD_SAID_DOUBTFUL_CAPTION,
    PD_SAID_DOUBTFUL_TAG,
    PD_SAID_COLUMN_COUNT
} pd_said_column;

typedef struct pd_said {
    int64_t photo, content, work; /* 0: none */
    int rating;
    int rating_by, caption_by; /* 0: nobody */
    bool favorite;
    const char *caption;                       /* that counts; "" */
    const char *machine_caption;               /* whether it counts or not; "" */
    float machine_score;                       /* of that caption; NAN: not known */
    bool machine_doubtful;                     /* that caption */
    const char *columns[PD_SAID_COLUMN_COUNT]; /* of the full text */
    pd_said_label *labels;                     /* [n_labels] by place and folded, each once */
    size_t n_labels;
    /* how it is made */
    size_t label_capacity;
    bool has_file_caption;
    size_t file_caption_at;
    bool has_machine_caption;
    size_t machine_caption_at;
    pd_buf text; /* of labels, and the captions of the file and the machine */
    pd_buf parts[PD_SAID_COLUMN_COUNT];
} pd_said;

void pd_said_init(pd_said *said);
void pd_said_done(pd_said *said);
/* PD_ERR_NO_MATCH (no sentence): no such photo. Everything lives until the next call. */
PD_MUST_USE pd_status pd_said_read(pd_store *store, int64_t photo, pd_said *said, pd_error *err);
/* The labels of a place: the first, and how many. */
const pd_said_label *pd_said_labels(const pd_said *said, pd_text_where place, size_t *ret_n);

#endif
