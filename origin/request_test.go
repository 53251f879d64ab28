package origin

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"pushcart/packager"
)

func TestValidName(t *testing.T) {
	for _, name := range []string{"shop42", "a", "A.b_c~d-e", "...", ".hidden", strings.Repeat("x", maxNameLen)} {
		if !validName(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", ".", "..", "a b", "a/b", "a%2fb", "é", "a\x00", "a+b", strings.Repeat("x", maxNameLen+1)} {
		if validName(name) {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestParseDirectives(t *testing.T) {
	none := noDirectives
	for _, c := range []struct {
		query string
		want  directives
		bad   bool
	}{
		{"", none, false},
		{"_HLS_msn=7", directives{7, -1, packager.SkipNone}, false},
		{"_HLS_msn=7&_HLS_part=0", directives{7, 0, packager.SkipNone}, false},
		{"_HLS_part=3&_HLS_msn=0", directives{0, 3, packager.SkipNone}, false},
		{"_HLS_msn=7&_HLS_part=1&_HLS_skip=YES", directives{7, 1, packager.SkipSegments}, false},
		{"_HLS_skip=v2", directives{-1, -1, packager.SkipDateRanges}, false},
		{"_HLS_skip=v3", none, false},
		{"_HLS_skip=", none, false},
		{"token=a%20b&_HLS_msn=7&_HLS_throughput=1&x", directives{7, -1, packager.SkipNone}, false},
		{"%5fHLS_msn=%37", directives{7, -1, packager.SkipNone}, false},
		{"_hls_msn=x", none, false},
		{"%zz=1&&=&", none, false},
		{"_HLS_msn=999999999999999999", directives{999999999999999999, -1, packager.SkipNone}, false},

		{"_HLS_part=0", none, true},
		{"_HLS_msn=", none, true},
		{"_HLS_msn", none, true},
		{"_HLS_msn=-1", none, true},
		{"_HLS_msn=+1", none, true},
		{"_HLS_msn=1.5", none, true},
		{"_HLS_msn=1e3", none, true},
		{"_HLS_msn=0x10", none, true},
		{"_HLS_msn= 1", none, true},
		{"_HLS_msn=1%", none, true},
		{"_HLS_msn=9999999999999999999", none, true},
		{"_HLS_msn=1&_HLS_part=", none, true},
		{"_HLS_msn=1&_HLS_part=-1", none, true},
		{"_HLS_msn=1&_HLS_part=x", none, true},
		{"_HLS_msn=1&_HLS_msn=2", none, true},
		{"_HLS_skip=YES&_HLS_skip=v2", none, true},
	} {
		got, err := parseDirectives(c.query)
		if got != c.want || (err != nil) != c.bad || c.bad && !errors.Is(err, errDirectives) {
			t.Errorf("%q: %+v, %v", c.query, got, err)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"":                              false,
		"gzip":                          true,
		"GZIP":                          true,
		"x-gzip":                        true,
		"gzip, deflate, br":             true,
		"br,gzip;q=0.5":                 true,
		"gzip;q=0":                      false,
		"gzip;q=0.000":                  false,
		"gzip ; Q=0":                    false,
		"gzip;q=0, *":                   false,
		"*":                             true,
		"*;q=0":                         false,
		"*;q=0.1, gzip;q=0":             false,
		"identity":                      false,
		"identity, gzip":                true,
		"identity;q=1, gzip;q=0.5":      false,
		"gzip;q=1.0, identity; q=0.5":   true,
		"deflate":                       false,
		"gzipped":                       false,
		"gzip;q=2":                      true, // broken weights are overlooked
		"gzip;q=nonsense":               true,
		"gzip;q=NaN":                    true,
		"gzip;level=9;q=0":              false,
		" , ,gzip":                      true,
		"br;q=1.0, gzip;q=0.8, *;q=0.1": true,
	} {
		if got := acceptsGzip([]string{header}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
	if !acceptsGzip([]string{"br", "gzip"}) || acceptsGzip(nil) {
		t.Error("several lines, or none")
	}
}

func TestMatchesETag(t *testing.T) {
	const tag = `"abc-gzip"`
	for header, want := range map[string]bool{
		`"abc-gzip"`:               true,
		`W/"abc-gzip"`:             true,
		`"x", "abc-gzip"`:          true,
		`"x",W/"y" ,  "abc-gzip" `: true,
		`*`:                        true,
		`"abc"`:                    false,
		`abc-gzip`:                 false,
		`"abc-gzip`:                false,
		`"a,b", "abc-gzip"`:        true,
		``:                         false,
		`,`:                        false,
	} {
		if got := matchesETag([]string{header}, tag); got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
}

func TestParseRange(t *testing.T) {
	const size = 100
	for _, c := range []struct {
		header string
		want   byteRange
		use    rangeUse
	}{
		{"bytes=0-0", byteRange{0, 1}, rangeOne},
		{"bytes=10-19", byteRange{10, 10}, rangeOne},
		{"bytes=10-", byteRange{10, 90}, rangeOne},
		{"bytes=0-1000", byteRange{0, 100}, rangeOne},
		{"bytes=99-", byteRange{99, 1}, rangeOne},
		{"bytes=-1", byteRange{99, 1}, rangeOne},
		{"bytes=-1000", byteRange{0, 100}, rangeOne},
		{"bytes=100-", byteRange{}, rangeUnsatisfiable},
		{"bytes=-0", byteRange{}, rangeUnsatisfiable},
		{"bytes=5-4", byteRange{}, rangeNone},
		{"bytes=a-b", byteRange{}, rangeNone},
		{"bytes=-", byteRange{}, rangeNone},
		{"bytes=", byteRange{}, rangeNone},
		{"bytes=--5", byteRange{}, rangeNone},
		{"bytes=0-1,5-6", byteRange{}, rangeNone},
		{"lines=0-1", byteRange{}, rangeNone},
	} {
		got, use := parseRange(http.Header{"Range": {c.header}}, size)
		if got != c.want || use != c.use {
			t.Errorf("%s: %+v, %d", c.header, got, use)
		}
	}
	if _, use := parseRange(http.Header{}, size); use != rangeNone {
		t.Error("no range at all")
	}
	if _, use := parseRange(http.Header{"Range": {"bytes=0-1"}, "If-Range": {`"x"`}}, size); use != rangeNone {
		t.Error("If-Range can't match, as objects have no validator")
	}
	if _, use := parseRange(http.Header{"Range": {"bytes=0-"}}, 0); use != rangeUnsatisfiable {
		t.Error("empty object")
	}
}

// FuzzDirectives holds the hand-written query reader against net/url's.
func FuzzDirectives(f *testing.F) {
	for _, s := range []string{
		"_HLS_msn=7&_HLS_part=1&_HLS_skip=YES", "%5fHLS_msn=%37", "_HLS_part=0", "_HLS_msn=-1",
		"_HLS_msn=1&_HLS_msn=1", "a=%zz&_HLS_msn=3", "_HLS_msn=1%", "&&=&", "_HLS_msn=00000000000000000001",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		d, err := parseDirectives(query)
		if err != nil {
			if d != noDirectives {
				t.Fatalf("error, and %+v", d)
			}
			return
		}
		if d.part >= 0 && d.msn < 0 {
			t.Fatalf("part without msn: %+v", d)
		}
		if strings.Contains(query, ";") {
			return // net/url refuses what RFC 3986 allows
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		check := func(name string, got int64) {
			vs := values[name]
			switch {
			case len(vs) > 1:
				t.Fatalf("%s is there %d times", name, len(vs))
			case len(vs) == 0:
				if got >= 0 {
					t.Fatalf("%s from nowhere: %d", name, got)
				}
			default:
				if n, err := strconv.ParseInt(vs[0], 10, 64); err != nil || n != got {
					t.Fatalf("%s=%q became %d", name, vs[0], got)
				}
			}
		}
		check("_HLS_msn", d.msn)
		check("_HLS_part", int64(d.part))
	})
}

// FuzzHeaders feeds the readers of request headers, which must not panic and never leave the object.
func FuzzHeaders(f *testing.F) {
	f.Add("gzip;q=0.5, *;q=0", `W/"a", "b"`, "bytes=0-1", int64(100))
	f.Add("*", "*", "bytes=-5", int64(0))
	f.Fuzz(func(t *testing.T, encoding, match, ranges string, size int64) {
		acceptsGzip([]string{encoding})
		matchesETag([]string{match}, `"b"`)
		if size < 0 {
			return
		}
		r, use := parseRange(http.Header{"Range": {ranges}}, size)
		if use == rangeOne && (r.off < 0 || r.n <= 0 || r.off+r.n > size) {
			t.Fatalf("%q of %d bytes: %+v", ranges, size, r)
		}
	})
}
