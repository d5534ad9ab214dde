// Package yamlfile reads the YAML that people write for creditmill: strictly,
// with the position of everything, and with every problem of every file
// reported at once (SPEC section 2).
//
// [Parse] turns a file into [Node] values that keep each scalar's text exactly as
// it was written, so that a price never passes through a binary float. What a
// file means is judged by its readers, with the helpers of [Problems]; what is
// wrong is collected there, and shown with file, line, column and source line.
//
// The YAML is the plain part of the language: maps, lists and scalars in block
// or flow style, comments, several documents. Anchors, aliases, merge keys, tags,
// directives, complex keys, duplicate keys and tabs are refused. Unquoted
// null, ~, true and false and JSON's numbers have their types; every other
// scalar is text, also yes, 0x1f, 007 and 1_000.
//
// No input makes Parse panic or recurse without bound.
package yamlfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxBytes is the size of the largest file that is read.
const MaxBytes = 8 << 20

// Parse reads the documents of a file. file is the name that problems show.
// Syntax errors and everything else the package refuses go to p, with their
// position; a document that cannot be understood is left out. So is one with
// nothing in it, but a file with nothing at all is one document of [Kind] Null.
func Parse(file string, src []byte, p *Problems) []Node {
	f := newSource(file, src)
	before := p.Len()
	text, ok := f.decode(src, p)
	if !ok {
		return nil
	}
	var docs []Node
	for _, tokens := range documents(lexer.Tokenize(text)) {
		if doc := f.document(tokens, p); doc.Kind() != Null {
			docs = append(docs, doc)
		}
	}
	if p.Len() > before && len(docs) == 0 {
		return nil
	}
	if len(docs) == 0 {
		docs = []Node{f.node(Null, f.position(1, 1))}
	}
	return docs
}

// Single returns the one document of a file that must have exactly one; a
// problem is added at a second. Without a document, which Parse has explained,
// it returns the zero Node.
func Single(docs []Node, p *Problems) Node {
	if len(docs) == 0 {
		return Node{}
	}
	if len(docs) > 1 {
		p.Add(docs[1], "remove the line --- and what follows it, or put it into a file of its own", "a second document where one is expected")
	}
	return docs[0]
}

// documents cuts a file's tokens at its document marks. The parser is given one
// document at a time, because it loses what follows an empty one, and because
// an error in one should not hide those of the next.
func documents(tokens token.Tokens) []token.Tokens {
	docs := []token.Tokens{nil}
	for _, tk := range tokens {
		switch tk.Type {
		case token.DocumentHeaderType, token.DocumentEndType:
			docs = append(docs, nil)
		case token.CommentType:
		default:
			docs[len(docs)-1] = append(docs[len(docs)-1], tk)
		}
	}
	return docs
}

// document reads one document; the zero Node when it is empty or wrong.
func (f *source) document(tokens token.Tokens, p *Problems) Node {
	if len(tokens) == 0 {
		return Node{}
	}
	before := p.Len()
	if !f.check(tokens, p) {
		return Node{}
	}
	parsed, err := parseTokens(tokens)
	if err != nil {
		if p.Len() == before { // else it follows from what was refused
			f.syntaxError(err, p)
		}
		return Node{}
	}
	var doc Node
	for _, part := range parsed.Docs {
		if part.Body != nil {
			doc = f.convert(part.Body, f.position(1, 1), p)
		}
	}
	if p.Len() == before && scalars(doc) != scalarTokens(tokens) {
		p.add(f, doc.Pos(), "write it in a simpler way", "a part of this document is not understood")
		return Node{}
	}
	return doc
}

// scalars counts the scalars of a value that are written down, and scalarTokens those of
// the text it was read from: nothing may get lost between the two in silence.
func scalars(n Node) int {
	count := 0
	switch n.Kind() {
	case List:
		for _, item := range n.Items() {
			count += scalars(item)
		}
	case Map:
		for _, pair := range n.Pairs() {
			count += scalars(pair.Key) + scalars(pair.Value)
		}
	case Null:
		if n.Text() != "" {
			count = 1
		}
	default:
		count = 1
	}
	return count
}

func scalarTokens(tokens token.Tokens) int {
	count := 0
	for i, tk := range tokens {
		switch tk.Type {
		case token.StringType, token.SingleQuoteType, token.DoubleQuoteType, token.NullType, token.BoolType, token.InfinityType, token.NanType,
			token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType, token.FloatType:
			if i == 0 || tokens[i-1].Type != token.LiteralType && tokens[i-1].Type != token.FoldedType {
				count++
			}
		case token.LiteralType, token.FoldedType:
			count++
		}
	}
	return count
}

// parseTokens calls the parser. A defect of that library must not take down a
// daemon that re-reads its configuration, so a panic becomes an error.
func parseTokens(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			file, err = nil, fmt.Errorf("this file cannot be read as YAML (%v)", r)
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// syntaxError adds a problem for an error of the parser.
func (f *source) syntaxError(err error, p *Problems) {
	pos, message := Position{File: f.name}, err.Error()
	var positioned interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &positioned) {
		message = positioned.GetMessage()
		if tk := positioned.GetToken(); tk != nil && tk.Position != nil {
			pos = f.position(tk.Position.Line, tk.Position.Column)
		}
	}
	hint := ""
	if strings.Contains(message, "reserved character") || strings.Contains(message, "directive") {
		hint = "a text that begins with a special character is written in quotes"
	}
	p.add(f, pos, hint, "not valid YAML: "+message)
}

// convert turns a parsed value into a Node. at is the place to name for a value
// that is not written at all, as in "key:".
func (f *source) convert(v ast.Node, at Position, p *Problems) Node {
	switch v := v.(type) {
	case *ast.MappingNode:
		return f.mapping(v.Values, f.of(v, at), v.IsFlowStyle, p)
	case *ast.MappingValueNode:
		return f.mapping([]*ast.MappingValueNode{v}, f.of(v, at), false, p)
	case *ast.SequenceNode:
		list := f.node(List, f.of(v, at))
		for _, item := range v.Values {
			list.n.items = append(list.n.items, f.convert(item, list.n.pos, p))
		}
		return list
	case *ast.LiteralNode:
		n := f.node(String, f.of(v, at))
		n.n.text, n.n.quoted = v.Value.Value, true
		return n
	case *ast.StringNode:
		return f.scalar(v.Value, v.Token, f.of(v, at))
	case *ast.NullNode:
		if v.Token.Type == token.ImplicitNullType {
			return f.node(Null, at)
		}
		return f.scalar(v.Token.Value, v.Token, f.of(v, at))
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return f.scalar(v.GetToken().Value, v.GetToken(), f.of(v, at))
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode, *ast.MappingKeyNode:
		return f.bad(f.of(v, at)) // refused by check, which has the tokens
	}
	n := f.bad(at)
	if v != nil {
		p.add(f, f.of(v, at), "", "this kind of YAML value is not supported")
	}
	return n
}

func (f *source) mapping(values []*ast.MappingValueNode, pos Position, flow bool, p *Problems) Node {
	m := f.node(Map, pos)
	seen := map[string]Position{}
	for i, v := range values {
		key := f.convert(v.Key, pos, p)
		if i == 0 && !flow {
			m.n.pos = key.n.pos // a block map has no sign of its own
		}
		value := f.convert(v.Value, key.n.pos, p)
		if key.n.bad {
			continue
		}
		if key.n.kind == Null || key.n.kind == List || key.n.kind == Map {
			p.Add(key, "", "a key must be a text, not %s", key.n.kind)
			continue
		}
		if first, double := seen[key.n.text]; double {
			p.Add(key, "", "the key %q stands here a second time, first in line %d", key.n.text, first.Line)
			continue
		}
		seen[key.n.text] = key.n.pos
		m.n.pairs = append(m.n.pairs, Pair{key, value})
	}
	return m
}

// scalar types a scalar by how it is written.
func (f *source) scalar(text string, tk *token.Token, pos Position) Node {
	n := f.node(String, pos)
	n.n.text = text
	n.n.quoted = tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType
	if !n.n.quoted {
		n.n.kind = plainKind(text)
		n.n.pos = f.settle(pos, text)
	}
	return n
}

// settle moves a plain scalar's position to where its first word stands: with
// blanks after a lone scalar the parser's column is too far right.
func (f *source) settle(pos Position, text string) Position {
	words := strings.Fields(text)
	if len(words) == 0 || pos.Line > len(f.lines) {
		return pos
	}
	line, word := []rune(f.lines[pos.Line-1]), []rune(words[0])
	for start := min(pos.Column-1, len(line)-len(word)); start >= 0; start-- {
		if slices.Equal(line[start:start+len(word)], word) {
			pos.Column = start + 1
			break
		}
	}
	return pos
}

func plainKind(text string) Kind {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return Null
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return Bool
	}
	if jsonNumber.MatchString(text) {
		return Number
	}
	return String
}

// of is the position of a parsed value.
func (f *source) of(v ast.Node, otherwise Position) Position {
	if tk := v.GetToken(); tk != nil && tk.Position != nil {
		return f.position(tk.Position.Line, tk.Position.Column)
	}
	return otherwise
}
