package cue

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a run of show as YAML. The parser is recursive, and takes time that grows with the square of what
// follows each other without a value.
const (
	maxYAMLDepth = 24
	maxYAMLKeys  = 1000   // keys in a row without a dash or a brace between them
	maxYAMLOpen  = 50_000 // dashes and colons whose values begin in the next line
	maxCommas    = 200_000
)

// readYAML parses the one document of a YAML text into what JSON could hold. Anchors, aliases, merge keys and
// tags are refused, so that a small text can't become a large one. The error is an *Error.
func readYAML(body []byte) (any, error) {
	switch {
	case len(body) > MaxYAMLBytes:
		return nil, refuse(TooLarge, "a run of show of %d bytes as YAML: at most %d MiB are possible; %d MiB as JSON", len(body), MaxYAMLBytes>>20, MaxLoadBytes>>20)
	case !utf8.Valid(body):
		return nil, refuse(Invalid, "the text is not UTF-8: send YAML in UTF-8")
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(body), "\ufeff"))
	if err := allowed(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil {
			return nil, refuse(Invalid, "line %d is no YAML: %s", syntax.Token.Position.Line, firstLine(syntax.Message))
		}
		return nil, refuse(Invalid, "this is no YAML: %s", firstLine(err.Error()))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, refuse(Invalid, "this is empty: a run of show is a list of at least one cue, in order")
	}
	return fromYAML(file.Docs[0].Body, 0)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// allowed checks the tokens before the recursive parser sees them.
func allowed(tokens token.Tokens) error {
	var depth, keys, open, commas int
	begun := false
	dashes, line := 0, 0
	for i, tk := range tokens {
		if tk.Position.Line != line {
			line, dashes = tk.Position.Line, 0
		}
		switch tk.Type {
		case token.CommentType:
			continue
		case token.DocumentHeaderType, token.DocumentEndType:
			if begun {
				return refuse(Invalid, "line %d begins a second document: send one", line)
			}
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
			return refuse(Invalid, "line %d has an anchor, alias, tag or the like: write the value out", line)
		case token.SequenceStartType, token.MappingStartType:
			depth++
			keys = 0
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			dashes++
			keys = 0
		case token.MappingValueType:
			keys++
			if i+1 == len(tokens) || tokens[i+1].Position.Line != line {
				open++
			}
		case token.CollectEntryType:
			commas++
		}
		begun = true
		if max(depth, dashes, (tk.Position.Column-1)/2) > 4*maxYAMLDepth || max(depth, dashes) > maxYAMLDepth {
			return refuse(Invalid, "line %d is nested too deep: at most %d levels are possible", line, maxYAMLDepth)
		}
		if keys > maxYAMLKeys || open > maxYAMLOpen || commas > maxCommas {
			return refuse(TooLarge, "line %d: so much is a matter for JSON", line)
		}
	}
	return nil
}

// fromYAML makes JSON of a node. Numbers keep their digits where JSON has them.
func fromYAML(n ast.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, refuse(Invalid, "values are nested more than %d deep: make it flatter", maxDepth)
	}
	switch n := n.(type) {
	case *ast.NullNode:
		return nil, nil
	case *ast.BoolNode:
		return n.Value, nil
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode:
		text := n.GetToken().Value
		if len(text) <= maxNumber && json.Valid([]byte(text)) {
			return json.Number(text), nil
		}
		return nil, refuse(Invalid, "line %d: %s is no number as JSON has them: put it in quotes, or write its digits", n.GetToken().Position.Line, quote(text))
	case *ast.SequenceNode:
		l := make(list, len(n.Values))
		for i, v := range n.Values {
			var err error
			if l[i], err = fromYAML(v, depth+1); err != nil {
				return nil, err
			}
		}
		return l, nil
	case ast.MapNode:
		return fromMapping(n, depth)
	}
	return nil, refuse(Invalid, "there is something in the YAML that JSON has no word for (%s): write it as text", n.Type())
}

func fromMapping(n ast.MapNode, depth int) (any, error) {
	o := object{}
	seen := make(map[string]bool)
	for it := n.MapRange(); it.Next(); {
		tk := it.Key().GetToken()
		if seen[tk.Value] {
			return nil, refuse(Invalid, "line %d: %s is there twice: say it once", tk.Position.Line, quote(tk.Value))
		}
		seen[tk.Value] = true
		v, err := fromYAML(it.Value(), depth+1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{tk.Value, v})
	}
	return o, nil
}
