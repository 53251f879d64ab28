package config

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a file.
const (
	// maxFile leaves room for some ten thousand listed stream keys.
	maxFile = 1 << 20
	// maxDepth is how deep brackets may nest, and dashes on one line; the parser is recursive.
	maxDepth = 16
	// maxKeys is how many keys may follow each other without a dash or a brace between them, and how
	// many values may be missing or begin in the next line. The parser takes a level of recursion for
	// each of the former, and time that grows with the square of either.
	maxKeys = 1000
	// maxCommas bounds the entries between brackets and braces for the same reason.
	maxCommas = 20_000
	// maxErrors is how many errors are reported at most; the wrong kind of file has one in each line.
	maxErrors = 50
)

// parse returns the mapping that is the file's only document, nil if the file is empty. It refuses what
// the format allows and a configuration has no use for: anchors, aliases, merge keys and tags, so that
// each value stands where it is used and a small file can't grow into a large one.
func (d *decoder) parse(data []byte) ast.Node {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // Notepad begins files with a byte order mark
	if line, ok := textOnly(data); !ok {
		d.fail(position{line, 1}, "the file is not UTF-8 text: save it as UTF-8")
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if !d.allowed(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.failSyntax(err)
		return nil
	}
	if len(file.Docs) == 0 {
		return nil
	}
	return file.Docs[0].Body
}

// allowed checks the file's tokens before the recursive parser sees them.
func (d *decoder) allowed(tokens token.Tokens) bool {
	var brackets, dashes, keys, open, commas, line int
	begun := false
	for i, tk := range tokens {
		pos := position{tk.Position.Line, tk.Position.Column}
		if pos.line != line {
			line, dashes = pos.line, 0
		}
		switch tk.Type {
		case token.CommentType:
			continue
		case token.DocumentHeaderType, token.DocumentEndType:
			if begun {
				d.fail(pos, "a second document begins here: keep to one")
				return false
			}
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			d.fail(pos, "anchors, aliases and merge keys are not supported: write the value out")
			return false
		case token.TagType, token.DirectiveType:
			d.fail(pos, "tags and directives are not supported: leave them out")
			return false
		case token.MappingKeyType:
			d.fail(pos, `keys that begin with "?" are not supported: write "key: value"`)
			return false
		case token.SequenceStartType:
			brackets++
		case token.MappingStartType:
			brackets++
			keys = 0
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.SequenceEntryType:
			dashes++
			keys = 0
			open += opens(tokens, i)
		case token.MappingValueType:
			keys++
			open += opens(tokens, i)
		case token.CollectEntryType:
			commas++
		}
		begun = true
		if max(brackets, dashes) > maxDepth {
			d.fail(pos, "nested too deep: nothing in a configuration goes deeper than %d", maxDepth)
			return false
		}
		if max(keys, open) > maxKeys || commas > maxCommas {
			d.fail(pos, "too many keys or empty values: this is no configuration")
			return false
		}
	}
	return true
}

// opens returns 1 if nothing follows tokens[i], a dash or a colon, on its line: a group begins there, or the
// value is missing.
func opens(tokens token.Tokens, i int) int {
	if i+1 < len(tokens) && tokens[i+1].Position.Line == tokens[i].Position.Line {
		switch tokens[i+1].Type {
		case token.CollectEntryType, token.SequenceEndType, token.MappingEndType, token.CommentType:
		default:
			return 0
		}
	}
	return 1
}

// failSyntax reports what the parser had to say, in one line.
func (d *decoder) failSyntax(err error) {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil {
		p := syntax.Token.Position
		d.fail(position{p.Line, p.Column}, "this is not YAML: %s", oneLine(syntax.Message))
		return
	}
	d.fail(position{}, "this is not YAML: %s", oneLine(err.Error()))
}

func oneLine(s string) string {
	const most = 200
	s = string(bytes.Join(bytes.Fields([]byte(s)), []byte(" ")))
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

// textOnly reports whether data is UTF-8 without control characters, else the line that it is not in.
func textOnly(data []byte) (line int, ok bool) {
	line = 1
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			return line, false
		case r == '\n':
			line++
		case r < ' ' && r != '\t' && r != '\r', r == 0x7f:
			return line, false
		}
		i += n
	}
	return line, true
}

// position is a place in the file; the zero value is none.
type position struct{ line, column int }

// at returns where n begins.
func at(n ast.Node) position {
	if n == nil {
		return position{}
	}
	if m, ok := n.(ast.MapNode); ok { // a block mapping's own token is its first colon
		if it := m.MapRange(); it.Next() {
			return at(it.Key())
		}
	}
	tk := n.GetToken()
	if tk == nil || tk.Position == nil {
		return position{}
	}
	return position{tk.Position.Line, tk.Position.Column}
}

// describe says what n is, for a message about what it should have been. It does not quote n, which may be
// meant to be a secret.
func describe(n ast.Node) string {
	switch n.(type) {
	case ast.MapNode:
		return "a group of keys"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	}
	return "a single value"
}
