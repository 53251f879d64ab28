package origin

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseCuePath(t *testing.T) {
	long := strings.Repeat("x", maxCueID)
	for path, want := range map[string]cuePath{
		"cues.json":                    {kind: kindCueList},
		"cues/events":                  {kind: kindCueEvents},
		"cues/wig-3/1.json":            {kindCue, "wig-3", 1, ""},
		"cues/wig-3/12/pt-BR.json":     {kindCue, "wig-3", 12, "pt-BR"},
		"cues/a.b_C-9/999999999.json":  {kindCue, "a.b_C-9", 999999999, ""},
		"cues/.../1.json":              {kindCue, "...", 1, ""},
		"cues/../1.json":               {},
		"cues/./1.json":                {},
		"cues/events/1.json":           {kindCue, "events", 1, ""},
		"cues/" + long + "/1/en.json":  {kindCue, long, 1, "en"},
		"cues/a/1/zh-Hans-CN.json":     {kindCue, "a", 1, "zh-Hans-CN"},
		"cues/" + long + "x/1.json":    {},
		"cues/":                        {},
		"cues/events/":                 {},
		"cues/.json":                   {},
		"cues/a.json":                  {},
		"cues/a/.json":                 {},
		"cues/a/1":                     {},
		"cues/a/1.jsonx":               {},
		"cues/a/01.json":               {},
		"cues/a/0.json":                {},
		"cues/a/-1.json":               {},
		"cues/a/+1.json":               {},
		"cues/a/1234567890.json":       {},
		"cues/a/x.json":                {},
		"cues//1.json":                 {},
		"cues/a b/1.json":              {},
		"cues/a~b/1.json":              {},
		"cues/ä/1.json":                {},
		"cues/a/1/.json":               {},
		"cues/a/1/en/us.json":          {},
		"cues/a/1/en_US.json":          {},
		"cues/a/1/-en.json":            {},
		"cues/a/1/en-.json":            {},
		"cues/a/1/en.us.json":          {},
		"cues/a/1/e\x00n.json":         {},
		"cues/a/1/" + long + ".json":   {},
		"cues.json/":                   {},
		"cue/a/1.json":                 {},
		"e1abc/cues/a/1.json":          {},
		"cues/a/1/en.json/../fr.json/": {},
	} {
		if got := parseCuePath(path); got != want {
			t.Errorf("%q: got %+v, want %+v", path, got, want)
		}
	}
}

// spell is the path that p is parsed from.
func spell(p cuePath) string {
	switch p.kind {
	case kindCueList:
		return "cues.json"
	case kindCueEvents:
		return "cues/events"
	}
	path := fmt.Sprintf("cues/%s/%d", p.id, p.rev)
	if p.locale != "" {
		path += "/" + p.locale
	}
	return path + ".json"
}

// FuzzCuePath: what is accepted is within its bounds and has one spelling.
func FuzzCuePath(f *testing.F) {
	for _, seed := range []string{"cues.json", "cues/events", "cues/wig-3/1.json", "cues/a/2/fr.json", "cues/a/00.json", "cues///.json", "cues/a/1/-.json"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p := parseCuePath(path)
		if p.kind == kindOther {
			if p != (cuePath{}) {
				t.Errorf("%q: nothing, and yet %+v", path, p)
			}
			return
		}
		if !isCuePath(path) {
			t.Errorf("%q would not get here", path)
		}
		if got := spell(p); got != path {
			t.Errorf("%q is also %q", path, got)
		}
	})
}
