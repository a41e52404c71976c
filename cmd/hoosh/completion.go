// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is called by kong.
func (completionCmd) Help() string {
	return `bash: eval "$(hoosh completion bash)" in ~/.bashrc

zsh: eval "$(hoosh completion zsh)" in ~/.zshrc, after compinit

fish: hoosh completion fish > ~/.config/fish/completions/hoosh.fish`
}

// Run prints the script.
func (c *completionCmd) Run(a *app, model *kong.Application) error {
	nodes := words(model.Node, nil)
	var script string
	switch c.Shell {
	case "bash":
		script = bashScript(nodes)
	case "zsh":
		script = zshScript(nodes)
	case "fish":
		script = fishScript(nodes)
	}
	_, err := fmt.Fprint(a.out, script)
	return err
}

// word is a place on the command line, and what may come there.
type word struct {
	path  []string // the commands before it
	next  []option // commands and values
	flags []option
}

type option struct {
	name, short, help string
	value             bool     // an argument follows
	file              bool     // which is a file
	values            []string // of which there are only these
}

// words walks the grammar.
func words(n *kong.Node, path []string) []word {
	w := word{path: path}
	list := []word{}
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		w.next = append(w.next, option{name: child.Name, help: child.Help})
		list = append(list, words(child, append(slices.Clone(path), child.Name))...)
	}
	for _, p := range n.Positional {
		for _, v := range p.EnumSlice() {
			if p.Enum != "" {
				w.next = append(w.next, option{name: v})
			}
		}
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			o := option{name: f.Name, help: f.Help, value: !f.IsBool(), file: strings.Contains(f.PlaceHolder, "FILE")}
			if f.Short != 0 {
				o.short = string(f.Short)
			}
			if f.Enum != "" {
				o.values = f.EnumSlice()
			}
			w.flags = append(w.flags, o)
		}
	}
	return append([]word{w}, list...)
}

func names(options []option) []string {
	var list []string
	for _, o := range options {
		list = append(list, o.name)
	}
	return list
}

func long(options []option) []string {
	var list []string
	for _, o := range options {
		list = append(list, "--"+o.name)
	}
	return list
}

// valued are the flags that take an argument, as they are written; those for a
// file, or the others.
func valued(nodes []word, file bool) []string {
	var list []string
	for _, n := range nodes {
		for _, o := range n.flags {
			if !o.value || o.file != file {
				continue
			}
			list = append(list, "--"+o.name)
			if o.short != "" {
				list = append(list, "-"+o.short)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

const bashHead = `# bash completion for hoosh
_hoosh() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev= path= word i
  ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  case $prev in
    %s) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    %s) return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$path $word" in
      %s) path="$path $word" ;;
    esac
  done
  local next= flags=
  case "$path" in
`

func bashScript(nodes []word) string {
	var paths []string
	for _, n := range nodes[1:] {
		paths = append(paths, `" `+strings.Join(n.path, " ")+`"`)
	}
	var b strings.Builder
	fmt.Fprintf(&b, bashHead, strings.Join(valued(nodes, true), "|"), strings.Join(valued(nodes, false), "|"), strings.Join(paths, "|"))
	for _, n := range nodes {
		path := strings.Join(n.path, " ")
		if path != "" {
			path = " " + path
		}
		fmt.Fprintf(&b, "    %q) next=%q flags=%q ;;\n", path, strings.Join(names(n.next), " "), strings.Join(long(n.flags), " "))
	}
	b.WriteString(`  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ $next ]]; then
    COMPREPLY=($(compgen -W "$next" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -F _hoosh hoosh
`)
	return b.String()
}

// single quotes for a shell.
func single(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

const zshHead = `#compdef hoosh
# zsh completion for hoosh
_hoosh() {
  local path= word i
  local -a next flags
  case $words[CURRENT-1] in
    %s) _files; return ;;
    %s) return ;;
  esac
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case "$path $word" in
      %s) path="$path $word" ;;
    esac
  done
  case "$path" in
`

func zshScript(nodes []word) string {
	var paths []string
	for _, n := range nodes[1:] {
		paths = append(paths, `" `+strings.Join(n.path, " ")+`"`)
	}
	described := func(options []option, prefix string) string {
		var list []string
		for _, o := range options {
			// A colon divides name and description.
			list = append(list, single(prefix+strings.ReplaceAll(o.name, ":", `\:`)+":"+o.help))
		}
		return strings.Join(list, " ")
	}
	var b strings.Builder
	fmt.Fprintf(&b, zshHead, strings.Join(valued(nodes, true), "|"), strings.Join(valued(nodes, false), "|"), strings.Join(paths, "|"))
	for _, n := range nodes {
		path := strings.Join(n.path, " ")
		if path != "" {
			path = " " + path
		}
		fmt.Fprintf(&b, "    %q) next=(%s) flags=(%s) ;;\n", path, described(n.next, ""), described(n.flags, "--"))
	}
	b.WriteString(`  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe -o flag flags
  elif (( $#next )); then
    _describe command next
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_hoosh" ]; then _hoosh "$@"; else compdef _hoosh hoosh; fi
`)
	return b.String()
}

func fishScript(nodes []word) string {
	var b strings.Builder
	b.WriteString("# fish completion for hoosh\ncomplete -c hoosh -f\n")
	for _, n := range nodes {
		when := fishCondition(nodes, n)
		for _, o := range n.next {
			fmt.Fprintf(&b, "complete -c hoosh -n %s -a %s -d %s\n", fishQuote(when), fishQuote(o.name), fishQuote(o.help))
		}
		if len(n.next) > 0 && len(n.path) > 0 {
			continue // flags come with the command below
		}
		for _, o := range n.flags {
			if len(n.path) > 0 && slices.Contains(names(nodes[0].flags), o.name) {
				continue // said for all commands together
			}
			if len(n.path) == 0 {
				when = "true"
			}
			fmt.Fprintf(&b, "complete -c hoosh -n %s -l %s", fishQuote(when), o.name)
			if o.short != "" {
				fmt.Fprintf(&b, " -s %s", o.short)
			}
			switch {
			case o.file:
				b.WriteString(" -r -F")
			case o.value:
				b.WriteString(" -x")
			}
			fmt.Fprintf(&b, " -d %s\n", fishQuote(o.help))
		}
	}
	return b.String()
}

// fishCondition holds where the command line has come to n and not further.
func fishCondition(nodes []word, n word) string {
	if len(n.path) == 0 {
		return "not __fish_seen_subcommand_from " + strings.Join(names(n.next), " ")
	}
	var seen []string
	for _, p := range n.path {
		seen = append(seen, "__fish_seen_subcommand_from "+p)
	}
	if len(n.next) > 0 {
		seen = append(seen, "not __fish_seen_subcommand_from "+strings.Join(names(n.next), " "))
	}
	return strings.Join(seen, "; and ")
}

func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
