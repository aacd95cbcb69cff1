#include "cli/commands.h"

#include <string.h>

#define LISTING                                                                                          \
    (PD_OPTION_BIT(PD_OPTION_NUMBER) | PD_OPTION_BIT(PD_OPTION_OFFSET) | PD_OPTION_BIT(PD_OPTION_SORT) | \
     PD_OPTION_BIT(PD_OPTION_JSON) | PD_OPTION_BIT(PD_OPTION_JSONL) | PD_OPTION_BIT(PD_OPTION_CSV) |     \
     PD_OPTION_BIT(PD_OPTION_NUL))
#define EDITING (PD_OPTION_BIT(PD_OPTION_QUERY) | PD_OPTION_BIT(PD_OPTION_DRY_RUN) | PD_OPTION_BIT(PD_OPTION_JSON))
#define COMMON                                                                                              \
    (PD_OPTION_BIT(PD_OPTION_LIBRARY) | PD_OPTION_BIT(PD_OPTION_MODEL) | PD_OPTION_BIT(PD_OPTION_THREADS) | \
     PD_OPTION_BIT(PD_OPTION_CPU) | PD_OPTION_BIT(PD_OPTION_PRECISION) | PD_OPTION_BIT(PD_OPTION_HELP) |    \
     PD_OPTION_BIT(PD_OPTION_VERSION))

#define LISTING_FORMS                                                                                                \
    "Without an option for another form, each photo is one line: rank, match, score, date and path. The match says " \
    "from 0 to 100 how well a photo fits, measured against all photos of the library; '-- weaker matches below --' " \
    "stands where the ones that probably fit end. The score is the cosine behind it. Letters of a path that would "  \
    "break the line or speak to the terminal are written as \\n, \\t, \\\\ or \\xNN; -0 gives the exact bytes."

#define CHOOSING                                                                                                   \
    "Photos are named by path or id (a file whose name is a number as ./12), or chosen with --query: all that it " \
    "finds, of which --dry-run says first how many they are. Originals are not changed; 'undo' takes it back."

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
            "the same library opens the page that is there already. Models and vectors are opened when they are needed "
            "and put away when nothing has needed them for five minutes (--idle-unload); models also when memory is "
            "short, "
            "that of the machine or of the container or service that this runs in. To use the page from another "
            "machine, make a tunnel there: ssh -L 7733:127.0.0.1:7733 THIS-MACHINE.",
        .examples = "serve\n"
                    "serve --no-open ~/Pictures\n"
                    "serve --listen 127.0.0.1:0 --browse-root /srv/photos\n"
                    "~/Pictures\n",
        .options = PD_OPTION_BIT(PD_OPTION_LISTEN) | PD_OPTION_BIT(PD_OPTION_NO_OPEN) |
                   PD_OPTION_BIT(PD_OPTION_BROWSE_ROOT) | PD_OPTION_BIT(PD_OPTION_IDLE_UNLOAD),
        .run = pd_cmd_serve,
    },
    {
        .name = "index",
        .arguments = "FOLDER...",
        .summary = "Learn the pictures in folders",
        .details =
            "Learns the pictures in the folders and everything below them, and remembers the folders as roots of the "
            "library. Run it again at any time: what is known is left alone, what is new or changed is learned, what "
            "was moved or renamed keeps its learning. A folder that is not where it was, as a drive with another mount "
            "point, is known by its pictures. The originals are only read.\n"
            "\n"
            "A file that cannot be learned costs only itself: it is listed with the reason, and tried again when it "
            "changes, or with --recheck. Ctrl-C stops and keeps what is learned so far; a second Ctrl-C stops at once. "
            "search, similar, show and status work while index runs; a second index on the same library does not.\n"
            "\n"
            "Afterwards what was learned is given tags, and with --captions (or when captions are switched on in the "
            "page) a sentence as well; what is doubtful is marked, and what you wrote yourself stays. "
            "docs/captions.md tells how.\n"
            "\n"
            "With --json one object is written at the end: files, learned (in this run), unchanged, moved, removed, "
            "skipped (kinds that are not learned), errors (every file under the folders that is not learned, with "
            "the reason), seconds, tagged, captioned and doubtful (pictures that were written about in "
            "this run, and captions among them that are marked).",
        .examples = "index ~/Pictures\n"
                    "index --recheck ~/Pictures /mnt/archive\n"
                    "index --captions ~/Pictures\n"
                    "index --json --progress json ~/Pictures\n",
        .missing = "index needs a folder",
        .options = PD_OPTION_BIT(PD_OPTION_RECHECK) | PD_OPTION_BIT(PD_OPTION_CAPTIONS) |
                   PD_OPTION_BIT(PD_OPTION_NO_TAGS) | PD_OPTION_BIT(PD_OPTION_PROGRESS) | PD_OPTION_BIT(PD_OPTION_JSON),
        .run = pd_cmd_index,
    },
    {
        .name = "search",
        .arguments = "[--] QUERY",
        .summary = "Find photos by words and filters",
        .details =
            "Finds the photos that show what the words say, best first. Several words need no quotes. A query that "
            "begins with '-' comes after '--'.\n"
            "\n"
            "Words are meaning. '-word' or '-(some words)' leads away from it, '2*word' weighs it, 'like:PATH_OR_ID' "
            "adds a picture, and '\"exact words\"' must stand in the file's name or in what is written about the "
            "photo. "
            "Filters leave out what does not fit: camera: lens: iso: f: focal: exposure: flash: date: year: month: in: "
            "name: type: size: width: height: orientation: tag: person: caption: rating: favorite: album: has: near: "
            "color: gray:, each with values, ranges and alternatives (iso:>=800, date:2019-06..2019-08, "
            "type:raw,heic), and negated by a '-' before it. 'sort:-date' orders. What is no filter is meaning, never "
            "an error; --explain says how a query is read, and docs/search.md tells all about it.\n"
            "\n"
            "A search finds nothing, and ends with exit code 1, only when no photo passes the filters; it says which "
            "filter is to blame. " LISTING_FORMS,
        .examples = "search a dog on the beach\n"
                    "search sunset camera:canon year:2019 -people\n"
                    "search -n 100 --sort -date \"snow\"\n"
                    "search --save best 'rating:>=4'\n"
                    "search -0 sunset | xargs -0 cp -t /tmp/sunsets\n"
                    "search --json -- -people beach\n",
        .options =
            LISTING | PD_OPTION_BIT(PD_OPTION_EXPLAIN) | PD_OPTION_BIT(PD_OPTION_SAVED) | PD_OPTION_BIT(PD_OPTION_SAVE),
        .run = pd_cmd_search,
    },
    {
        .name = "similar",
        .arguments = "IMAGE|ID...",
        .summary = "Find photos that look like a picture",
        .details = "Finds the photos that look most like the picture: a file, in the library or not, or the id of a "
                   "photo. Of several pictures, their average is what is looked for, and --with adds words and "
                   "filters. The pictures themselves are not among the results. A picture that is not in the library "
                   "is not stored. A file whose name is a number is written as ./12.\n"
                   "\n" LISTING_FORMS,
        .examples = "similar holiday.jpg\n"
                    "similar 12 17\n"
                    "similar 12 --with 'at night year:2020'\n"
                    "similar -n 5 --json ~/Downloads/unknown.webp\n",
        .missing = "similar needs a picture: a file, or the id of a photo",
        .options = LISTING | PD_OPTION_BIT(PD_OPTION_WITH),
        .run = pd_cmd_similar,
    },
    {
        .name = "tag",
        .arguments = "TAG PHOTO...",
        .summary = "Give photos a tag, or take it away",
        .details =
            "Gives the photos a tag, or takes it away with --remove, also one that the file says: the user's word "
            "wins for ever. A tag of several words is quoted.\n"
            "\n" CHOOSING,
        .examples = "tag beach IMG_1.jpg IMG_2.jpg\n"
                    "tag --remove 'old boat' 12\n"
                    "tag --dry-run winter --query 'snow month:12..2'\n",
        .missing = "tag needs a tag and photos",
        .options = EDITING | PD_OPTION_BIT(PD_OPTION_REMOVE),
        .run = pd_cmd_tag,
    },
    {
        .name = "rate",
        .arguments = "0..5|none PHOTO...",
        .summary = "Rate photos",
        .details = "Gives the photos a rating from 0 to 5; with none, what the file says counts again.\n"
                   "\n" CHOOSING,
        .examples = "rate 5 best.jpg\n"
                    "rate none --query 'in:holiday rating:1'\n",
        .missing = "rate needs a rating and photos",
        .options = EDITING,
        .run = pd_cmd_rate,
    },
    {
        .name = "favorite",
        .arguments = "PHOTO...",
        .summary = "Make photos favorites",
        .details = "Makes the photos favorites, or ends that with --remove.\n"
                   "\n" CHOOSING,
        .examples = "favorite best.jpg 12\n"
                    "favorite --remove --query 'favorite:yes year:2003'\n",
        .options = EDITING | PD_OPTION_BIT(PD_OPTION_REMOVE),
        .run = pd_cmd_favorite,
    },
    {
        .name = "album",
        .arguments = "[ACTION] [NAME] [PHOTO...]",
        .summary = "List albums, look into them, fill them",
        .details =
            "Without an action, or with 'list': the albums and how many photos they hold. 'show NAME' lists an album "
            "as "
            "search does. 'add NAME PHOTO...' puts photos at the album's end and makes it when there is none, 'take "
            "NAME PHOTO...' takes photos out. 'make NAME', 'rename NAME TO' and 'remove NAME' are about the album; the "
            "photos stay.\n"
            "\n" CHOOSING,
        .examples = "album\n"
                    "album add Italy --query 'near:43.77,11.25,50km year:2019'\n"
                    "album show Italy --json\n"
                    "album take Italy 12\n"
                    "album rename Italy 'Italy 2019'\n",
        .options = EDITING | LISTING,
        .run = pd_cmd_album,
    },
    {
        .name = "undo",
        .arguments = "",
        .summary = "Take back what was done last to photos or albums",
        .details =
            "Takes back the newest step: a tag, a rating, an album, of one photo or of thousands, whether it was "
            "done here or in the page. Again: the one before it. --dry-run says what it would take back.",
        .examples = "undo\n"
                    "undo --dry-run\n",
        .options = PD_OPTION_BIT(PD_OPTION_DRY_RUN) | PD_OPTION_BIT(PD_OPTION_JSON),
        .takes_no_arguments = true,
        .run = pd_cmd_undo,
    },
    {
        .name = "saved",
        .arguments = "[list | remove NAME]",
        .summary = "List saved searches",
        .details = "Lists the searches that are saved, each with its name, or removes one. 'search --save NAME QUERY' "
                   "saves one and 'search --saved NAME' searches it again.",
        .examples = "saved\n"
                    "saved remove best\n",
        .options = PD_OPTION_BIT(PD_OPTION_JSON),
        .run = pd_cmd_saved,
    },
    {
        .name = "history",
        .arguments = "[list | clear]",
        .summary = "List what was searched for in the page",
        .details = "Lists what was searched for in the page, newest first, or forgets it. Searches of the command line "
                   "are not remembered.",
        .examples = "history\n"
                    "history clear\n",
        .options = PD_OPTION_BIT(PD_OPTION_JSON),
        .run = pd_cmd_history,
    },
    {
        .name = "export",
        .arguments = "[PHOTO...]",
        .summary = "Write your own work into a file or into sidecars, or copy photos",
        .details =
            "Writes your own work, tags, ratings, favorites, captions, albums and saved searches, as one JSON "
            "document to standard output or into a file (-o), which 'import' reads again, here or in another "
            "library: photos are known there by their content.\n"
            "\n"
            "With --to FOLDER photos are copied instead: the ones named, or all that --query finds. No file is ever "
            "overwritten: a copy whose name is taken gets a number behind it. A photo that cannot be copied costs "
            "only itself, and the exit code is 4. A list of photos is what search gives, with --csv, --json or -0.\n"
            "\n"
            "With --sidecars your captions, tags and ratings are written into .xmp files beside the photos, where "
            "other "
            "programs read them: into the sidecar that is there (beach.jpg.xmp, else beach.xmp), or into a new one. "
            "What "
            "others wrote stays: tags are added to theirs, and a caption or a rating is put in only where there is "
            "none. --machine adds what the detective wrote itself and is sure of. The photos are not touched.",
        .examples = "export -o work.json\n"
                    "export --query 'album:Italy rating:>=4' --to /media/stick/italy\n"
                    "export --to ~/print 12 17\n"
                    "export --sidecars --query has:tag --dry-run\n",
        .options = PD_OPTION_BIT(PD_OPTION_SIDECARS) | PD_OPTION_BIT(PD_OPTION_MACHINE) | EDITING |
                   PD_OPTION_BIT(PD_OPTION_OUTPUT) | PD_OPTION_BIT(PD_OPTION_TO),
        .run = pd_cmd_export,
    },
    {
        .name = "import",
        .arguments = "FILE",
        .summary = "Read work that was exported",
        .details =
            "Reads what 'export' wrote ('-' is standard input) and adds it: what is here already stays as it is. "
            "Work for a picture that is not here waits until the picture comes.",
        .examples = "import work.json\n"
                    "import - < work.json\n",
        .missing = "import needs a file that 'export' wrote",
        .options = PD_OPTION_BIT(PD_OPTION_JSON),
        .run = pd_cmd_import,
    },
    {
        .name = "model",
        .arguments = "[ACTION] [NAME]",
        .summary = "List models, fetch them, use them",
        .details =
            "Without an action, or with 'list': the models that are known, and which of them are here; '*' stands "
            "before the ones in use. NAME is one of that list, or owner/name[@revision] as on the Hugging Face hub.\n"
            "\n"
            "'pull NAME' fetches a model: the only thing here that ever asks the network, and only the hub. What it "
            "fetches is checked, and kept when it is interrupted (Ctrl-C, a broken connection): the same command goes "
            "on from there. 'use NAME' makes the library search and learn with it; until it has learned what the model "
            "before it knew, that one answers. What was learned with a model stays: going back is instant. 'info "
            "NAME' tells what is known of a model, 'remove NAME' deletes one that was fetched; what was learned with "
            "it stays, unless --embeddings is given. With --dry-run it only says how much that is.\n"
            "\n"
            "docs/models.md tells where models lie and what is checked.",
        .examples = "model\n"
                    "model pull openai/clip-vit-base-patch32\n"
                    "model use openai/clip-vit-base-patch32\n"
                    "model info 'CLIP B/16' --json\n"
                    "model remove wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M\n"
                    "model remove openai/clip-vit-base-patch32 --embeddings --dry-run\n",
        .options = PD_OPTION_BIT(PD_OPTION_PROGRESS) | PD_OPTION_BIT(PD_OPTION_EMBEDDINGS) |
                   PD_OPTION_BIT(PD_OPTION_DRY_RUN) | PD_OPTION_BIT(PD_OPTION_JSON),
        .run = pd_cmd_model,
    },
    {
        .name = "show",
        .arguments = "PATH|ID",
        .summary = "Show what is known about a photo",
        .details = "Shows what the library knows about a photo: kind, size, time, camera, place, words, hashes, and "
                   "which model learned it. Of tags, 'tags' are yours and the file's, 'seen' a machine's, and "
                   "'perhaps' those that a machine is not sure of. The picture is not opened. A photo whose last "
                   "learning failed is shown with the "
                   "reason, and the exit code is 4.",
        .examples = "show ~/Pictures/beach.jpg\n"
                    "show --json 12\n",
        .missing = "show needs a photo: its path or its id",
        .options = PD_OPTION_BIT(PD_OPTION_JSON),
        .run = pd_cmd_show,
    },
    {
        .name = "caption",
        .arguments = "IMAGE|ID...",
        .summary = "Say in words what pictures show",
        .details =
            "Writes a sentence and tags for pictures: files, in the library or not, or ids of photos. For photos of "
            "the library they are kept, as if they had been written in the background; what you wrote yourself stays "
            "in front of them. What is doubtful is marked. A file whose name is a number is written as ./12.\n"
            "\n"
            "With --json one object is written: pictures, each with path (as it was given), caption, score (0 to 1), "
            "doubtful, cosine and likelihood (what score and doubt are made from), tags (name, score, doubtful) and "
            "error (why there is none, or null); --jsonl writes one of these a line. A picture that cannot be read "
            "costs only itself, and the exit code is 4, or that of its own error when it was the only one.",
        .examples = "caption holiday.jpg\n"
                    "caption --json 12 17\n"
                    "caption --jsonl ~/Downloads/*.jpg\n",
        .missing = "caption needs a picture: a file, or the id of a photo",
        .options = PD_OPTION_BIT(PD_OPTION_JSON) | PD_OPTION_BIT(PD_OPTION_JSONL),
        .run = pd_cmd_caption,
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

uint64_t pd_command_common_options(void) { return COMMON; }
