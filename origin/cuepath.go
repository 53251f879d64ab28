package origin

import (
	"strconv"
	"strings"
)

// Bounds of what a path below cues/ may name.
const (
	maxCueID = 64
	// maxRevDigits keeps a revision within an int32. A cue is not revised two thousand million times.
	maxRevDigits = 9
	// maxLocale is longer than any BCP 47 tag that is in use.
	maxLocale = 35
)

// cuePath is a path within a show, taken apart.
type cuePath struct {
	kind kind // kindCue, kindCueList, kindCueEvents; kindOther if there is no such thing
	// For kindCue. locale is empty for the document with all locales.
	id     string
	rev    int
	locale string
}

// isCuePath reports whether path belongs to the cues and to nothing else: no epoch and no rendition has such
// a name.
func isCuePath(path string) bool { return path == "cues.json" || strings.HasPrefix(path, "cues/") }

// parseCuePath takes the path of a cue's resource apart. There is one spelling for each resource, so that
// caches keep it once: no leading zeros, no escapes, no empty steps. Anything else is kindOther.
func parseCuePath(path string) cuePath {
	switch path {
	case "cues.json":
		return cuePath{kind: kindCueList}
	case "cues/events":
		return cuePath{kind: kindCueEvents}
	}
	rest, ok := strings.CutPrefix(path, "cues/")
	rest, isJSON := strings.CutSuffix(rest, ".json")
	id, rest, deep := strings.Cut(rest, "/")
	if !ok || !isJSON || !deep || !validCueID(id) {
		return cuePath{}
	}
	number, locale, localized := strings.Cut(rest, "/")
	rev, ok := parseRevision(number)
	if !ok || localized && !validLocale(locale) {
		return cuePath{}
	}
	return cuePath{kindCue, id, rev, locale}
}

// validCueID accepts [A-Za-z0-9._-]{1,64}, but not "." and "..", which clients take out of paths: what a show's
// cues may be called.
func validCueID(id string) bool {
	if id == "" || len(id) > maxCueID || id == "." || id == ".." {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !unreserved[c] || c == '~' {
			return false
		}
	}
	return true
}

func parseRevision(s string) (int, bool) {
	if s == "" || len(s) > maxRevDigits || s[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil
}

// validLocale accepts what looks like a BCP 47 tag: subtags of letters and digits, with hyphens between.
func validLocale(s string) bool {
	if s == "" || len(s) > maxLocale || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !unreserved[c] || c == '~' || c == '.' || c == '_' {
			return false
		}
	}
	return true
}
