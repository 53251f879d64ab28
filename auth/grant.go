package auth

import (
	"slices"
	"strings"
)

// Grant is what a key lets its bearer publish.
type Grant struct {
	// Name is the show's.
	Name string
	// Part is empty for the show itself. Otherwise the bearer stands beside the show's host, with a rendition
	// of the picture ("720p") or, behind an at sign, the sound in a language ("@fr"). Whether that is a
	// language is for others to say.
	Part string
}

// maxPart is the length of the longest Part: a language tag may have 35 characters (RFC 5646 section 4.4.1).
const maxPart = 36

// houseParts are what the server's own transcoders, of pictures and of sound, are called where they stand beside a host.
// Hosts can't have them: the two would take over from each other without end.
var houseParts = []string{"ladder", "sound"}

// What is wrong with the part of a key.
var (
	errPart     = &Denied{"What follows the slash of the stream key names a rendition of the picture: use up to 36 letters, digits, '-', '.', '_' or '~', as in KEY/720p."}
	errHouse    = &Denied{"The names \"" + strings.Join(houseParts, "\" and \"") + "\" behind the slash of the stream key are used by the server itself: choose another."}
	errLanguage = &Denied{"What follows the at sign of the stream key is the language that is spoken: use a language tag such as fr or pt-BR, as in KEY@fr."}
)

// ParseGrant reads what stands before a signature, in a list of keys, or alone: NAME, NAME/PART or
// NAME@LANGUAGE. The error is a *Denied.
func ParseGrant(s string) (Grant, error) {
	name, part := cutPart(s)
	g := Grant{name, part}
	if err := CheckName(name); err != nil {
		return g, err
	}
	return g, g.check()
}

// String is the inverse of ParseGrant.
func (g Grant) String() string {
	if g.Part == "" || g.Part[0] == '@' {
		return g.Name + g.Part
	}
	return g.Name + "/" + g.Part
}

// check says what is wrong with the part.
func (g Grant) check() error {
	language, isLanguage := strings.CutPrefix(g.Part, "@")
	switch {
	case g.Part == "":
	case isLanguage:
		if language == "" || len(g.Part) > maxPart || strings.ContainsFunc(language, notInTags) {
			return errLanguage
		}
	case g.Part == "/", len(g.Part) > maxPart, strings.ContainsFunc(g.Part, notInNames):
		return errPart
	case slices.Contains(houseParts, g.Part):
		return errHouse
	}
	return nil
}

// cutPart cuts a key, or a name, before what follows its first slash, or else its last at sign. The part
// that is missing behind a slash is "/", which check refuses.
func cutPart(s string) (base, part string) {
	if base, part, ok := strings.Cut(s, "/"); ok {
		if part == "" || part[0] == '@' {
			part = "/"
		}
		return base, part
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func notInTags(r rune) bool { return notInNames(r) || strings.ContainsRune("._~", r) }
