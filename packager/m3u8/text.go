package m3u8

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// rounding says where digits that are not written go.
type rounding uint8

const (
	down rounding = iota
	nearest
	up
)

// appendIntLine writes n and ends the line.
func appendIntLine(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(dst, n, 10), '\n')
}

// round returns d, which is not negative, in units of 10^-decimals seconds, for up to 9 decimals.
func round(d time.Duration, decimals int, r rounding) int64 {
	n, unit := int64(max(d, 0)), int64(1)
	for range 9 - decimals {
		unit *= 10
	}
	q, rest := n/unit, n%unit
	if r == up && rest > 0 || r == nearest && rest*2 >= unit && rest > 0 {
		q++
	}
	return q
}

// Precision is that of durations in playlists.
const Precision = 10 * time.Microsecond

// appendFixed writes d in seconds with that number of decimals; negative is zero.
func appendFixed(dst []byte, d time.Duration, decimals int, r rounding) []byte {
	n, scale := round(d, decimals, r), int64(1)
	for range decimals {
		scale *= 10
	}
	dst = strconv.AppendInt(dst, n/scale, 10)
	dst = append(dst, '.')
	for rest := n % scale; scale > 1; rest %= scale {
		scale /= 10
		dst = append(dst, '0'+byte(rest/scale))
	}
	return dst
}

// appendTrimmed writes d in seconds with up to 5 decimals, and none that is not needed.
func appendTrimmed(dst []byte, d time.Duration, r rounding) []byte {
	dst = appendFixed(dst, d, 5, r)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// appendTime writes t in UTC with milliseconds, rounded down: a cue's start that is rounded up makes
// players miss its frame by one. Years are those of four digits.
func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// plain reports whether all of s is printable ASCII that means nothing inside quotes.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c > 0x7E || c == '"' {
			return false
		}
	}
	return true
}

// appendText writes s as the inside of a quoted string (rfc8216bis 4.2): quotes become apostrophes,
// control characters become spaces, and what is no UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	if plain(s) {
		return append(dst, s...)
	}
	for _, r := range s {
		switch {
		case r == '"':
			r = '\''
		case r < 0x20, r >= 0x7F && r < 0xA0, r == '\uFEFF':
			r = ' '
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// appendURI writes s as the inside of a quoted URI, percent-encoding every byte that neither a URI nor
// a playlist can hold.
func appendURI(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	start := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x20 || c > 0x7E || c == '"' {
			dst = append(dst, s[start:i]...)
			dst = append(dst, '%', hex[c>>4], hex[c&15])
			start = i + 1
		}
	}
	return append(dst, s[start:]...)
}

// appendURILine is appendURI for a URI that has a line of its own, which may not look like a tag.
func appendURILine(dst []byte, s string) []byte {
	if s != "" && s[0] == '#' {
		dst = append(dst, "%23"...)
		s = s[1:]
	}
	return appendURI(dst, s)
}
