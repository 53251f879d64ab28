package ingest

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"pushcart/auth"
	"pushcart/media"
)

// Bounds of what a host may ask for in the query of an address.
const (
	maxLabel  = 64 // characters
	minOffset = -2 * time.Second
	maxOffset = 10 * time.Second
)

// part is what of a show a connection brings. The zero value is the show itself, from its host.
type part struct {
	role string // as stream.Contribution has it
	// language is that of the sound, in its usual spelling; empty if it is a rendition of the picture.
	language string
	label    string
	offset   time.Duration // how much later than it arrives the sound is heard
}

// kind is what a contributor brings; all else is left out.
func (p part) kind() media.Kind {
	if p.language != "" {
		return media.KindAudio
	}
	return media.KindVideo
}

// readPart makes it of what a key is good for and the query that came with it. The error is a sentence for
// the host.
func readPart(g auth.Grant, query string, offset time.Duration) (part, error) {
	// A query that is broken in places counts as far as it can be read: encoders append words of their own.
	q, _ := url.ParseQuery(query)
	p := part{role: g.Part}
	tag, isLanguage := strings.CutPrefix(g.Part, "@")
	lang := q.Get("lang")
	switch {
	case isLanguage && lang != "" && !strings.EqualFold(lang, tag):
		return p, fmt.Errorf("The stream key is for the language %s and the address says lang=%s: leave one of them out.", tag, lang)
	case isLanguage:
		lang = tag
	case lang != "" && g.Part != "":
		return p, fmt.Errorf("The stream key is for a rendition of the picture (%s) and the address says lang=%s: leave one of them out.", g.Part, lang)
	case lang == "":
		if p.role != "" {
			p.label = label(q.Get("label"), p.role)
		}
		return p, nil
	}
	var err error
	if p.language, err = media.ParseLanguage(lang); err != nil {
		return p, fmt.Errorf("The language %q of this connection is %w.", lang, err)
	}
	p.role = "@" + p.language
	p.label = label(q.Get("label"), media.LanguageName(p.language))
	p.offset = offset
	if s := q.Get("offset"); s != "" {
		if p.offset, err = time.ParseDuration(s); err != nil || p.offset < minOffset || p.offset > maxOffset {
			return p, fmt.Errorf("The address says offset=%s: use a time with its unit from %v to %v, such as 300ms.", s, minOffset, maxOffset)
		}
	}
	return p, nil
}

// label is s as far as it can be shown to viewers, otherwise if nothing of it can.
func label(s, otherwise string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimSpace(s) {
		if n == maxLabel {
			break
		}
		if r != unicode.ReplacementChar && unicode.IsPrint(r) && r != '"' { // no playlist can quote a quote
			b.WriteRune(r)
			n++
		}
	}
	if b.Len() == 0 {
		return otherwise
	}
	return b.String()
}
