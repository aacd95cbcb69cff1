# bash completion for pixel-detective; made by tests/cli/make_docs.c
_pixel_detective()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word options
    COMPREPLY=()
    case $prev in
    --library) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --model) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --threads) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    --cpu) COMPREPLY=($(compgen -W 'auto scalar sse2 avx2 avxvnni avx512 amx neon dotprod' -- "$cur")); return ;;
    --precision) COMPREPLY=($(compgen -W 'int8 fp32' -- "$cur")); return ;;
    --progress) COMPREPLY=($(compgen -W 'auto bar json none' -- "$cur")); return ;;
    -n) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    --offset) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    --sort) COMPREPLY=($(compgen -W 'score date -date name -name size -size' -- "$cur")); return ;;
    --with) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    --saved) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    --save) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    --query) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    -o) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --to) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --listen) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    --browse-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --idle-unload) COMPREPLY=($(compgen -W '' -- "$cur")); return ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        serve|index|search|similar|tag|rate|favorite|album|undo|saved|history|export|import|model|show|caption|status|help) command=$word; break ;;
        esac
    done
    options='--library --model --threads --cpu --precision --help -h --version'
    case $command in
    serve) options+=' --listen --no-open --browse-root --idle-unload' ;;
    index) options+=' --recheck --captions --no-tags --progress --json' ;;
    search) options+=' -n --offset --sort --explain --saved --save --json --jsonl --csv -0' ;;
    similar) options+=' -n --offset --sort --with --json --jsonl --csv -0' ;;
    tag) options+=' --query --remove --dry-run --json' ;;
    rate) options+=' --query --dry-run --json' ;;
    favorite) options+=' --query --remove --dry-run --json' ;;
    album) options+=' -n --offset --sort --query --dry-run --json --jsonl --csv -0' ;;
    undo) options+=' --dry-run --json' ;;
    saved) options+=' --json' ;;
    history) options+=' --json' ;;
    export) options+=' --query --dry-run -o --to --sidecars --machine --json' ;;
    import) options+=' --json' ;;
    model) options+=' --progress --embeddings --dry-run --json' ;;
    show) options+=' --json' ;;
    caption) options+=' --json --jsonl' ;;
    status) options+=' --json' ;;
    help) options+=' ' ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    elif [[ -z $command || $command == help ]]; then
        COMPREPLY=($(compgen -W 'serve index search similar tag rate favorite album undo saved history export import model show caption status help' -- "$cur"))
    elif [[ $command == index ]]; then
        COMPREPLY=($(compgen -d -- "$cur"))
    elif [[ $command =~ ^(similar|show|tag|rate|favorite|album|export|import)$ ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
    fi
}
complete -o filenames -F _pixel_detective pixel-detective
