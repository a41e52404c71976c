// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// This file is all that knows the YAML library. It makes of a file a tree of
// plain nodes: no anchors, aliases, merges or comments are left in it.

// What a file may hold. The library takes time in the square of the keys of one
// mapping, and stack by the depth; these bounds keep both far from hurting.
const (
	maxFile   = 1 << 20
	maxTokens = 50_000
	maxDepth  = 64     // of [ and {, and of - and ? on one line
	maxNodes  = 50_000 // with every alias written out
)

type kind uint8

const (
	null kind = iota
	text
	number
	boolean
	list
	mapping
	broken // what stands there was reported
)

// String names what was found, for "want a list, found a string".
func (k kind) String() string {
	return [...]string{"nothing", "a string", "a number", "true or false", "a list", "a mapping", "nothing that can be read"}[k]
}

// position is a place in the file, both from 1; columns count characters.
type position struct{ line, column int }

type node struct {
	kind  kind
	at    position
	text  string // of a scalar, without its quotes
	items []*node
	pairs []pair
}

type pair struct {
	key   string
	at    position
	value *node
}

// grower makes nodes of the library's syntax tree.
type grower struct {
	anchors map[string]anchor // those before the place that is looked at
	nodes   int               // with every alias written out
	report  func(at position, message, want string)
}

// anchor is a value with a name; its nodes are shared by all that refer to it.
type anchor struct {
	value *node
	nodes int
}

// grow reads a file; the root is nil when there is nothing in it, or nothing
// that can be read. What is wrong goes to report.
func grow(data []byte, report func(at position, message, want string)) (root *node) {
	if !readable(data, report) {
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	// The library is asked for syntax only, but it is large; what it cannot
	// stomach must not take the process down.
	defer func() {
		if recover() != nil {
			root = nil
			report(position{1, 1}, "not readable as YAML", "")
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if !bounded(tokens, report) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		reportSyntax(data, err, report)
		return nil
	}
	g := &grower{anchors: map[string]anchor{}, report: report}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		n := g.node(doc.Body)
		if root != nil {
			report(n.at, "a second document", "one")
			break
		}
		root = n
	}
	if g.nodes > maxNodes {
		return nil
	}
	return root
}

// readable checks what the YAML library would stumble on or pass over.
func readable(data []byte, report func(position, string, string)) bool {
	if len(data) > maxFile {
		report(position{1, 1}, "the file is larger than 1 MiB", "")
		return false
	}
	at := position{1, 0}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		at.column++
		switch {
		case r == utf8.RuneError && n == 1:
			report(at, "not UTF-8", "")
			return false
		case r == '\n':
			at = position{at.line + 1, 0}
		case r < ' ' && r != '\t' && r != '\r', r == 0x7f:
			report(at, fmt.Sprintf("a control character, %U", r), "")
			return false
		}
		i += n
	}
	return true
}

// bounded refuses what would cost the parser too much.
func bounded(tokens token.Tokens, report func(position, string, string)) bool {
	depth, line, onLine := 0, 0, 0
	for i, t := range tokens {
		if t.Position.Line != line {
			line, onLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			onLine++
		}
		if depth > maxDepth || onLine > maxDepth {
			report(place(t), fmt.Sprintf("nested deeper than %d", maxDepth), "")
			return false
		}
		if i == maxTokens {
			report(place(t), "the file holds too much", "")
			return false
		}
	}
	return true
}

// reportSyntax tells of the library's error, without the lines that it would
// show: there may be a key in them.
func reportSyntax(data []byte, err error, report func(position, string, string)) {
	at, message := position{1, 1}, "not readable as YAML"
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		message, _, _ = strings.Cut(syntax.Message, ` "`) // what it quotes may be a secret
		if syntax.Token != nil {
			at = place(syntax.Token)
		}
	}
	lines := bytes.Split(data, []byte("\n"))
	want := ""
	if at.line <= len(lines) {
		line := string(lines[at.line-1])
		switch {
		case strings.HasPrefix(strings.TrimLeft(line, " "), "\t"):
			want = "spaces for the indentation"
		case strings.Contains(line, "[*") || strings.Contains(line, "- *") || strings.Contains(line, ", *"):
			want = `quotes around a pattern that begins with *, such as "*"`
		case strings.ContainsAny(line, "[{") && strings.Contains(line, "${"):
			want = `quotes around "${…}" inside { } and [ ]`
		}
	}
	report(at, message, want)
}

func place(t *token.Token) position {
	return position{max(1, t.Position.Line), max(1, t.Position.Column)}
}

// spend counts nodes, and reports whether there may be so many.
func (g *grower) spend(nodes int, at position) bool {
	before := g.nodes
	g.nodes = min(g.nodes+nodes, maxNodes+1)
	if g.nodes > maxNodes && before <= maxNodes {
		g.report(at, "the file holds too much, with every alias written out", "")
	}
	return g.nodes <= maxNodes
}

// node makes a node of n. It never returns nil.
func (g *grower) node(n ast.Node) *node {
	if !g.spend(1, at(n)) {
		return &node{kind: broken, at: at(n)}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return g.mapping(n.Values, n)
	case *ast.MappingValueNode:
		return g.mapping([]*ast.MappingValueNode{n}, n)
	case *ast.SequenceNode:
		l := &node{kind: list, at: at(n)}
		for _, item := range n.Values {
			l.items = append(l.items, g.node(item))
		}
		return l
	case *ast.AnchorNode:
		name, before := n.Name.GetToken().Value, g.nodes
		delete(g.anchors, name) // inside its own value it has no meaning yet
		made := g.node(n.Value)
		g.anchors[name] = anchor{made, g.nodes - before}
		return made
	case *ast.AliasNode:
		return g.alias(n)
	case *ast.TagNode:
		g.report(at(n), "tags such as !!str are not understood", "quotes around a value that is to be a string")
		return g.node(n.Value)
	case *ast.StringNode:
		if swallowed(n) {
			return g.swallowed(at(n))
		}
	case *ast.LiteralNode:
		return &node{kind: text, at: at(n), text: n.Value.Value}
	}
	return scalar(n)
}

// swallowed reports a string without quotes in which there are keys: the library
// is lax there, and a wrong indentation is the commonest mistake of all.
func swallowed(n ast.Node) bool {
	s, ok := n.(*ast.StringNode)
	return ok && s.Token.Type == token.StringType && (strings.Contains(s.Value, ": ") || strings.Contains(s.Value, "\n"))
}

func (g *grower) swallowed(at position) *node {
	g.report(at, "the lines after it became part of this value", "them indented like its key, or quotes around the value")
	return &node{kind: broken, at: at}
}

func scalar(n ast.Node) *node {
	if n == nil {
		return &node{}
	}
	s := &node{kind: text, at: at(n), text: n.GetToken().Value}
	switch n.Type() {
	case ast.NullType:
		s.kind = null
	case ast.BoolType:
		s.kind = boolean
	case ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		s.kind = number
	}
	return s
}

// alias gives what the name stands for. Its positions stay those of the anchor,
// where a mistake would have to be put right.
func (g *grower) alias(n *ast.AliasNode) *node {
	name := n.Value.GetToken().Value
	a, known := g.anchors[name]
	if !known {
		// The name is not shown: it may be a secret that begins with a star.
		g.report(at(n), "no anchor of this name comes before it", `quotes if it is not a reference, such as "*-mini"`)
	}
	if !known || !g.spend(a.nodes, at(n)) {
		return &node{kind: broken, at: at(n)}
	}
	return a.value
}

func (g *grower) mapping(values []*ast.MappingValueNode, n ast.Node) *node {
	m := &node{kind: mapping, at: at(n)}
	var merged []pair
	for _, v := range values {
		if v.Key.IsMergeKey() {
			merged = append(merged, g.merge(v.Value)...)
			continue
		}
		switch v.Key.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			p := pair{key: v.Key.GetToken().Value, at: at(v.Key)}
			if swallowed(v.Value) { // whose own place the library gets wrong
				p.value = g.swallowed(p.at)
			} else {
				p.value = g.node(v.Value)
			}
			m.pairs = append(m.pairs, p)
		default:
			g.report(at(v.Key), "not a key that can be understood", "a name")
		}
	}
	for _, p := range merged { // what the mapping says itself wins, then the first merged
		if !m.has(p.key) {
			m.pairs = append(m.pairs, p)
		}
	}
	return m
}

// merge gives the pairs that << brings in.
func (g *grower) merge(v ast.Node) []pair {
	from := g.node(v)
	switch from.kind {
	case mapping:
		return from.pairs
	case list:
		var all []pair
		for _, item := range from.items {
			all = append(all, item.pairs...)
		}
		return all
	}
	if from.kind != broken {
		g.report(from.at, "want a mapping to merge, found "+from.kind.String(), "")
	}
	return nil
}

func (n *node) has(key string) bool {
	for _, p := range n.pairs {
		if p.key == key {
			return true
		}
	}
	return false
}

// at is where a node begins; of a mapping in block style that is its first key.
func at(n ast.Node) position {
	switch n := n.(type) {
	case nil:
		return position{1, 1}
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return at(n.Values[0])
		}
	case *ast.MappingValueNode:
		return at(n.Key)
	case *ast.SequenceNode:
		if n.Start != nil {
			return place(n.Start)
		}
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return place(t)
}
