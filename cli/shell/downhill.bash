# SPDX-License-Identifier: MIT
#
# Completion for bash, and for zsh with bashcompinit. Completes commands and options, as listed by
# `downhill --help` and `downhill COMMAND --help`, ISA levels and choices; otherwise files.

_downhill() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} words
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$("${COMP_WORDS[0]}" --help 2>/dev/null |
            sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$current")
        return
    fi
    if [ "$command" = data ]; then
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(compgen -W 'gen check --help' -- "$current")
            return
        fi
        command="data ${COMP_WORDS[2]}"
    fi
    if [[ $current == -* ]]; then
        # shellcheck disable=SC2086 # a command may have two words
        words=$("${COMP_WORDS[0]}" $command --help 2>/dev/null |
            grep -oE '^ {2,6}(-[a-z]( [A-Z]+)?, )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi
    if [ "$before" = --isa ]; then
        words=$("${COMP_WORDS[0]}" info 2>/dev/null |
            sed -n '/^ISA level/,/^$/s/^\([a-z0-9_]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "all $words" -- "$current")
        return
    fi
    if [[ $before == --* ]]; then # an option with choices
        # shellcheck disable=SC2086 # a command may have two words
        words=$("${COMP_WORDS[0]}" $command --help 2>/dev/null |
            sed -nE "s/^ {2,6}(-[a-z], )?$before ([a-z0-9-]+(\\|[a-z0-9-]+)+)( .*)?\$/\\2/p" |
            tr '|' ' ')
        if [ -n "$words" ]; then
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
            return
        fi
    fi
    compopt -o default 2>/dev/null
}

complete -F _downhill downhill
