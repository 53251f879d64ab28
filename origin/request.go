package origin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"pushcart/packager"
)

// Bounds of what a request may name.
const (
	maxNameLen = 64  // of a stream's name
	maxPathLen = 256 // of a path within a show
	// maxDigits keeps a directive's number within an int64; what is longer is nonsense anyway.
	maxDigits = 18
)

// validName reports whether name can be that of a stream: [A-Za-z0-9._~-]+, RFC 3986's unreserved
// characters, but not the path segments "." and "..".
func validName(name string) bool {
	if name == "" || len(name) > maxNameLen || name == "." || name == ".." {
		return false
	}
	for i := range len(name) {
		if !unreserved[name[i]] {
			return false
		}
	}
	return true
}

// unreserved is a table, as each request is checked.
var unreserved = func() (t [256]bool) {
	for c := range t {
		t[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			c == '.' || c == '_' || c == '~' || c == '-'
	}
	return t
}()

// directives are the delivery directives of a media playlist request (rfc8216bis 6.2.5).
type directives struct {
	msn  int64 // negative: none
	part int   // negative: none
	skip packager.Skip
}

var noDirectives = directives{msn: -1, part: -1}

// parseDirectives reads the directives of a query. Other parameters belong to other people (tokens, a
// CDN's own) and are passed over, as is a _HLS_skip of a kind that does not exist yet. A number that is
// none, a directive that is there twice, and a part without its segment are errDirectives.
func parseDirectives(query string) (directives, error) {
	d := noDirectives
	var seen [3]bool
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		if strings.IndexByte(pair, '%') >= 0 {
			var err error
			if name, err = url.QueryUnescape(name); err != nil {
				continue
			}
			if value, err = url.QueryUnescape(value); err != nil {
				value = "%"
			}
		}
		var i int
		ok := true
		switch name {
		case "_HLS_msn":
			d.msn, ok = parseNumber(value)
		case "_HLS_part":
			var n int64
			n, ok = parseNumber(value)
			d.part, i = int(n), 1
		case "_HLS_skip":
			d.skip, i = parseSkip(value), 2
		default:
			continue
		}
		if !ok || seen[i] {
			return noDirectives, errDirectives
		}
		seen[i] = true
	}
	if d.part >= 0 && d.msn < 0 {
		return noDirectives, errDirectives // rfc8216bis 6.2.5.2: MUST
	}
	return d, nil
}

// parseNumber reads a decimal-integer (rfc8216bis 4.2): digits and nothing else.
func parseNumber(s string) (int64, bool) {
	if s == "" || len(s) > maxDigits {
		return -1, false
	}
	var n int64
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return -1, false
		}
		n = n*10 + int64(c)
	}
	return n, true
}

func parseSkip(s string) packager.Skip {
	switch s {
	case "YES":
		return packager.SkipSegments
	case "v2":
		return packager.SkipDateRanges
	}
	return packager.SkipNone
}

// acceptsGzip reports whether a response compressed with gzip is what the client likes best
// (RFC 9110 section 12.5.3). Nothing said means identity.
func acceptsGzip(lines []string) bool {
	const unsaid = -1
	gzip, identity, other := unsaid, unsaid, unsaid
	for _, line := range lines {
		for line != "" {
			var item string
			item, line, _ = strings.Cut(line, ",")
			coding, params, _ := strings.Cut(item, ";")
			coding = strings.TrimSpace(coding)
			q := parseQuality(params)
			switch {
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				gzip = max(gzip, q)
			case strings.EqualFold(coding, "identity"):
				identity = q
			case coding == "*":
				other = q
			}
		}
	}
	if gzip == unsaid {
		gzip = other
	}
	return gzip > 0 && gzip >= identity
}

// parseQuality reads a weight, "q=0.5", in thousandths. Without one, or with a broken one, it is 1.
func parseQuality(params string) int {
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		if f, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && f >= 0 && f <= 1 {
			return int(f * 1000)
		}
	}
	return 1000
}

// matchesETag reports whether one of the entity tags in If-None-Match is tag, by weak comparison
// (RFC 9110 section 13.1.2): a CDN that re-compresses weakens the tag it keeps.
func matchesETag(lines []string, tag string) bool {
	for _, line := range lines {
		for line != "" {
			line = strings.TrimLeft(line, " \t,")
			if strings.HasPrefix(line, "*") {
				return true
			}
			line = strings.TrimPrefix(line, "W/")
			if !strings.HasPrefix(line, `"`) {
				break // not a list of tags
			}
			end := strings.IndexByte(line[1:], '"')
			if end < 0 {
				break
			}
			if line[:end+2] == tag {
				return true
			}
			line = line[end+2:]
		}
	}
	return false
}

// byteRange is a range of an object: n bytes from off.
type byteRange struct{ off, n int64 }

// The outcomes of parseRange.
type rangeUse uint8

const (
	rangeNone rangeUse = iota // send all of it: no range, several ranges, or no known syntax (RFC 9110 14.2)
	rangeOne
	rangeUnsatisfiable
)

// parseRange reads a Range header for an object of size bytes.
func parseRange(h http.Header, size int64) (byteRange, rangeUse) {
	lines := h["Range"]
	if len(lines) != 1 || len(h["If-Range"]) > 0 {
		return byteRange{}, rangeNone // objects carry no validator that an If-Range could match
	}
	spec, ok := strings.CutPrefix(lines[0], "bytes=")
	if !ok || strings.IndexByte(spec, ',') >= 0 {
		return byteRange{}, rangeNone
	}
	first, last, ok := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok {
		return byteRange{}, rangeNone
	}
	if first == "" { // the last n bytes
		n, ok := parseNumber(last)
		if !ok {
			return byteRange{}, rangeNone
		}
		if n == 0 || size == 0 {
			return byteRange{}, rangeUnsatisfiable
		}
		n = min(n, size)
		return byteRange{size - n, n}, rangeOne
	}
	from, ok := parseNumber(first)
	if !ok {
		return byteRange{}, rangeNone
	}
	to := size - 1
	if last != "" {
		n, ok := parseNumber(last)
		if !ok || n < from {
			return byteRange{}, rangeNone
		}
		to = min(to, n)
	}
	if from >= size {
		return byteRange{}, rangeUnsatisfiable
	}
	return byteRange{from, to - from + 1}, rangeOne
}
