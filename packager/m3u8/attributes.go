package m3u8

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxAttributes bounds those of one tag.
const maxAttributes = 64

// attributes is an attribute list (rfc8216bis 4.2) that is being read, with a sticky error.
type attributes struct {
	list []attribute
	err  error
}

type attribute struct {
	name, value string
	quoted      bool
}

// parseAttributes splits s. Names may not be repeated.
func parseAttributes(s string) *attributes {
	a := &attributes{}
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok || name == "" || strings.ContainsAny(name, "\", ") {
			a.err = fmt.Errorf("no attribute in %q", s)
			return a
		}
		if _, ok := a.find(name); ok {
			a.err = fmt.Errorf("%s twice", name)
			return a
		}
		x := attribute{name: name}
		if strings.HasPrefix(rest, `"`) {
			x.quoted = true
			if x.value, rest, ok = strings.Cut(rest[1:], `"`); !ok {
				a.err = fmt.Errorf("%s has no closing quote", name)
				return a
			}
		} else {
			end := strings.IndexByte(rest, ',')
			if end < 0 {
				end = len(rest)
			}
			x.value, rest = rest[:end], rest[end:]
		}
		if a.list = append(a.list, x); len(a.list) > maxAttributes {
			a.err = fmt.Errorf("more than %d attributes", maxAttributes)
			return a
		}
		if rest != "" && (rest[0] != ',' || len(rest) == 1) {
			a.err = fmt.Errorf("%q behind %s", rest, name)
			return a
		}
		s = strings.TrimPrefix(rest, ",")
	}
	return a
}

func (a *attributes) find(name string) (attribute, bool) {
	for _, x := range a.list {
		if x.name == name {
			return x, true
		}
	}
	return attribute{}, false
}

// fail keeps the first error.
func (a *attributes) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, args...)
	}
}

// text returns a quoted string, empty if there is none.
func (a *attributes) text(name string) string {
	x, ok := a.find(name)
	if ok && !x.quoted {
		a.fail("%s is not quoted", name)
	}
	return x.value
}

// required is text for an attribute that must be there, and not be empty.
func (a *attributes) required(name string) string {
	s := a.text(name)
	if s == "" {
		a.fail("no %s", name)
	}
	return s
}

// word returns an enumerated string.
func (a *attributes) word(name string) string {
	x, ok := a.find(name)
	if ok && x.quoted {
		a.fail("%s is quoted", name)
	}
	return x.value
}

func (a *attributes) yes(name string) bool { return a.word(name) == "YES" }

// seconds returns a decimal number of seconds, otherwise if there is none.
func (a *attributes) seconds(name string, otherwise time.Duration) time.Duration {
	s := a.word(name)
	if s == "" {
		return otherwise
	}
	d, err := parseSeconds(s)
	if err != nil {
		a.fail("%s: %w", name, err)
	}
	return d
}

// integer returns a decimal integer, otherwise if there is none.
func (a *attributes) integer(name string, otherwise int64) int64 {
	s := a.word(name)
	if s == "" {
		return otherwise
	}
	n, err := parseInteger(s)
	if err != nil {
		a.fail("%s: %w", name, err)
	}
	return n
}

var errNumber = errors.New("not a number as playlists write it")

// parseInteger reads decimal digits.
func parseInteger(s string) (int64, error) {
	if !digits(s) {
		return 0, fmt.Errorf("%q is %w", s, errNumber)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is %w", s, errNumber)
	}
	return n, nil
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// maxSeconds is the longest span that is read: what a time.Duration holds, and more than a century.
const maxSeconds = math.MaxInt64/int64(time.Second) - 1

// parseSeconds reads a decimal number of seconds without going through floating point. It drops what is
// less than a nanosecond.
func parseSeconds(s string) (time.Duration, error) {
	whole, fraction, dot := strings.Cut(s, ".")
	if !digits(whole) || dot && !digits(fraction) {
		return 0, fmt.Errorf("%q is %w", s, errNumber)
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > maxSeconds {
		return 0, fmt.Errorf("%q is %w", s, errNumber)
	}
	d, unit := time.Duration(n)*time.Second, time.Second/10
	for i := 0; i < len(fraction) && unit > 0; i++ {
		d += time.Duration(fraction[i]-'0') * unit
		unit /= 10
	}
	return d, nil
}

// lines calls f with each line of a playlist that is not empty, and says in which one an error came up.
func lines(text []byte, f func(line string) error) error {
	if !utf8.Valid(text) {
		return errors.New("m3u8: not UTF-8")
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if n == 1 && line != "#EXTM3U" {
			return errors.New("m3u8: the first line is not #EXTM3U")
		}
		if line == "" || n == 1 {
			continue
		}
		if i := strings.IndexFunc(line, func(r rune) bool { return r != '\t' && r < 0x20 || r >= 0x7F && r < 0xA0 }); i >= 0 {
			return fmt.Errorf("m3u8: line %d has a control character", n)
		}
		if err := f(line); err != nil {
			return fmt.Errorf("m3u8: line %d: %w", n, err)
		}
	}
	if n == 0 {
		return errors.New("m3u8: empty")
	}
	return nil
}

// cutTag splits a line into its tag, with the mark, and what is behind the colon. The tag of a line that
// is a URI is empty.
func cutTag(line string) (tag, value string) {
	if !strings.HasPrefix(line, "#") {
		return "", line
	}
	tag, value, _ = strings.Cut(line, ":")
	return tag, value
}
