# cmalloc.bash - completion of the command cmalloc, for bash.
#
# Commands and their flags are read off `cmalloc --help`, so that there is one list.

# Processes that run on the library, as far as we may know.
_cmalloc_processes()
{
    local maps
    for maps in $(grep -ls 'libcmalloc\.so' /proc/[0-9]*/maps 2>/dev/null); do
        maps=${maps#/proc/}
        echo "${maps%/maps}"
    done
}

_cmalloc()
{
    local word=$2 before=$3 usage
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(command cmalloc --help |
            awk '/^  [a-z]/ { print $1 }') --help --version" -- "$word")
        return
    fi
    usage=$(command cmalloc --help | awk -v c="${COMP_WORDS[1]}" '$1 == c && /^  /')
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- \
            '-[-a-z0-9]+' <<<" $usage" | grep -E '^-(-[a-z]+|[a-z0-9])$')" -- "$word")
    elif [[ $before == -o && ${COMP_WORDS[1]} == run ]]; then
        mapfile -t COMPREPLY < <(compgen -S = -W "$(CMALLOC_OPTIONS=help \
            command cmalloc run true 2>&1 | awk 'NR > 1 { print $1 }')" -- "$word")
        compopt -o nospace 2>/dev/null
    elif [[ ${COMP_WORDS[1]} == run ]]; then
        mapfile -t COMPREPLY < <(compgen -A command -- "$word" && compgen -f -- "$word")
    elif [[ $before == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(_cmalloc_processes)" -- "$word"
            compgen -f -- "$word")
    fi
}

complete -F _cmalloc cmalloc
