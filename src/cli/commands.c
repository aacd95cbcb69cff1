#include "cli/commands.h"

#include <string.h>

enum {
    LISTING = PD_OPTION_BIT(PD_OPTION_NUMBER) | PD_OPTION_BIT(PD_OPTION_SORT) | PD_OPTION_BIT(PD_OPTION_JSON) |
              PD_OPTION_BIT(PD_OPTION_JSONL) | PD_OPTION_BIT(PD_OPTION_CSV) | PD_OPTION_BIT(PD_OPTION_NUL),
    COMMON = PD_OPTION_BIT(PD_OPTION_LIBRARY) | PD_OPTION_BIT(PD_OPTION_MODEL) | PD_OPTION_BIT(PD_OPTION_THREADS) |
             PD_OPTION_BIT(PD_OPTION_CPU) | PD_OPTION_BIT(PD_OPTION_PRECISION) | PD_OPTION_BIT(PD_OPTION_HELP) |
             PD_OPTION_BIT(PD_OPTION_VERSION),
};

#define LISTING_FORMS                                                                                                 \
    "Without an option for another form, each photo is one line: rank, score, date and path. Letters of a path that " \
    "would break the line or speak to the terminal are written as \\n, \\t, \\\\ or \\xNN; -0 gives the exact bytes."

static const pd_command table[] = {
    {
        .name = "serve",
        .arguments = "[FOLDER...]",
        .summary = "Start the page in the browser (also without a command)",
        .details =
            "Serves the page on an address that only this computer can reach, prints that address as the first line, "
            "and opens it in the browser. Folders that are named begin to be learned at once. It stays until Ctrl-C; "
            "what is learned so far is kept.\n"
            "\n"
            "The address holds a token that is new at each start: whoever has it may use the page. A second serve on "
            "the same library opens the page that is there already. To use the page from another machine, make a "
            "tunnel there: ssh -L 7733:127.0.0.1:7733 THIS-MACHINE.",
        .examples = "serve\n"
                    "serve --no-open ~/Pictures\n"
                    "serve --listen 127.0.0.1:0 --browse-root /srv/photos\n"
                    "~/Pictures\n",
        .options =
            PD_OPTION_BIT(PD_OPTION_LISTEN) | PD_OPTION_BIT(PD_OPTION_NO_OPEN) | PD_OPTION_BIT(PD_OPTION_BROWSE_ROOT),
        .run = pd_cmd_serve,
    },
    {
        .name = "index",
        .arguments = "FOLDER...",
        .summary = "Learn the pictures in folders",
        .details =
            "Learns the pictures in the folders and everything below them, and remembers the folders as roots of the "
            "library. Run it again at any time: what is known is left alone, what is new or changed is learned, what "
            "was moved or renamed keeps its learning. The originals are only read.\n"
            "\n"
            "A file that cannot be learned costs only itself: it is listed with the reason, and tried again when it "
            "changes, or with --recheck. Ctrl-C stops and keeps what is learned so far; a second Ctrl-C stops at once. "
            "search, similar, show and status work while index runs; a second index on the same library does not.\n"
            "\n"
            "With --json one object is written at the end: files, learned (in this run), unchanged, moved, removed, "
            "skipped (kinds that are not learned), errors (every file under the folders that is not learned, with "
            "the reason) and seconds.",
        .examples = "index ~/Pictures\n"
                    "index --recheck ~/Pictures /mnt/archive\n"
                    "index --json --progress json ~/Pictures\n",
        .missing = "index needs a folder",
        .options = PD_OPTION_BIT(PD_OPTION_RECHECK) | PD_OPTION_BIT(PD_OPTION_PROGRESS) | PD_OPTION_BIT(PD_OPTION_JSON),
        .run = pd_cmd_index,
    },
    {
        .name = "search",
        .arguments = "[--] QUERY",
        .summary = "Find photos by words",
        .details = "Finds the photos that show what the words say, best first. Several words need no quotes. The score "
                   "is the cosine between the photo and the words, from -1 to 1: higher is better, and what counts as "
                   "high depends on the model.\n"
                   "\n"
                   "A query that begins with '-' comes after '--'. " LISTING_FORMS,
        .examples = "search a dog on the beach\n"
                    "search -n 100 --sort -date \"snow\"\n"
                    "search -0 sunset | xargs -0 cp -t /tmp/sunsets\n"
                    "search --json red car\n",
        .missing = "search needs words to look for",
        .options = LISTING,
        .run = pd_cmd_search,
    },
    {
        .name = "similar",
        .arguments = "IMAGE|ID...",
        .summary = "Find photos that look like a picture",
        .details = "Finds the photos that look most like the picture: a file, in the library or not, or the id of a "
                   "photo. Of several pictures, their average is what is looked for. The pictures themselves are not "
                   "among the results. A picture that is not in the library is not stored. A file whose name is a "
                   "number is written as ./12.\n"
                   "\n" LISTING_FORMS,
        .examples = "similar holiday.jpg\n"
                    "similar 12 17\n"
                    "similar -n 5 --json ~/Downloads/unknown.webp\n",
        .missing = "similar needs a picture: a file, or the id of a photo",
        .options = LISTING,
        .run = pd_cmd_similar,
    },
    {
        .name = "show",
        .arguments = "PATH|ID",
        .summary = "Show what is known about a photo",
        .details = "Shows what the library knows about a photo: kind, size, time, camera, place, hashes, and which "
                   "model learned it. The picture is not opened. A photo whose last learning failed is shown with the "
                   "reason, and the exit code is 4.",
        .examples = "show ~/Pictures/beach.jpg\n"
                    "show --json 12\n",
        .missing = "show needs a photo: its path or its id",
        .options = PD_OPTION_BIT(PD_OPTION_JSON),
        .run = pd_cmd_show,
    },
    {
        .name = "status",
        .arguments = "",
        .summary = "Show what the library holds",
        .details = "Shows the library's folders, how many files it knows, how many are learned and how many failed, "
                   "the model, the space used, and whether a process is learning right now.",
        .examples = "status\n"
                    "status --json\n",
        .options = PD_OPTION_BIT(PD_OPTION_JSON),
        .takes_no_arguments = true,
        .run = pd_cmd_status,
    },
    {
        .name = "help",
        .arguments = "[COMMAND]",
        .summary = "Show help for a command",
        .details = "Shows what pixel-detective can do, or all about one command.",
        .examples = "help search\n",
        .run = pd_cmd_help,
    },
};

const pd_command *pd_commands(size_t *ret_n)
{
    *ret_n = PD_COUNT_OF(table);
    return table;
}

const pd_command *pd_command_find(const char *name)
{
    for (size_t i = 0; i < PD_COUNT_OF(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const pd_command *pd_command_preset(void) { return pd_command_find("serve"); }

unsigned pd_command_common_options(void) { return COMMON; }
