package pushcart

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// may is the import table: what each room of the house may import of the others. A room may always
// import its own sub-rooms, and any room may import metrics.
var may = map[string][]string{
	"media":     {},
	"stream":    {"media"},
	"cue":       {"media", "stream"},
	"ingest":    {"media", "stream", "cue", "auth"},
	"packager":  {"media", "stream", "cue"},
	"archive":   {"media", "packager"},
	"transcode": {"media", "stream"},
	"cluster":   {"media", "stream"},
	"origin":    {"packager", "archive", "cue", "auth"},
	"admin":     {"stream", "cue", "auth"},
	"auth":      {},
	"metrics":   {},
	"web":       {},
	"tlsconf":   {},
	"obs":       {},
	"demo":      {"media"},
	// The porch: nobody inside looks at it.
	"config": {"admin", "auth", "cue", "ingest", "origin", "packager", "archive", "stream", "tlsconf", "transcode", "cluster", "metrics", "web"},
	"cmd":    {"*"},
	"e2e":    {"*"},
	"bench":  {"*"},
}

// onlyTests are modules that read or write the wire in tests, tools and the demo's host,
// and never on a path that a stranger's bytes can take through the server.
var onlyTests = map[string][]string{
	"github.com/yapingcat/gomedia":    {"demo", "cmd/push", "bench"},
	"github.com/bluenviron/gortmplib": {},
	"github.com/Eyevinn/mp4ff":        {"media/mediatest/record"},
	"github.com/grafov/m3u8":          {},
	"github.com/dhowden/tag":          {},

	"github.com/santhosh-tekuri/jsonschema": {},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func room(importPath string) string {
	path, _ := strings.CutPrefix(importPath, "pushcart/")
	name, _, _ := strings.Cut(path, "/")
	return name
}

func TestImportTable(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath == "pushcart" {
			continue
		}
		here := room(p.ImportPath)
		allowed, known := may[here]
		if !known {
			t.Errorf("%s is in no room of the table", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, "pushcart/") {
				continue
			}
			there := room(imported)
			// Test helpers (mediatest, rtmptest) are for _test files, which are not listed here, and for
			// the tools.
			if strings.HasSuffix(imported, "test") && !slices.Contains([]string{"cmd", "e2e", "bench", "media"}, here) {
				t.Errorf("%s imports the test helper %s", p.ImportPath, imported)
			}
			if there != here && there != "metrics" && !slices.Contains(allowed, there) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s: %s may import %s", p.ImportPath, imported, here, strings.Join(allowed, ", "))
			}
		}
	}
}

func TestModulesForTestsOnly(t *testing.T) {
	for _, p := range packages(t) {
		path, _ := strings.CutPrefix(p.ImportPath, "pushcart/")
		for _, imported := range p.Imports {
			for module, where := range onlyTests {
				if strings.HasPrefix(imported, module) && !slices.ContainsFunc(where, func(w string) bool { return path == w || strings.HasPrefix(path, w+"/") }) {
					t.Errorf("%s imports %s, which is for %q and tests only", path, imported, where)
				}
			}
		}
	}
}

// TestPureRooms checks that the rooms in which time and the outside world have no place keep them out.
func TestPureRooms(t *testing.T) {
	pure := map[string][]string{
		"pushcart/media":           {"net", "os", "net/http", "context", "sync"},
		"pushcart/packager":        {"net", "os", "net/http"},
		"pushcart/packager/fmp4":   {"net", "os", "net/http", "context", "sync", "pushcart/stream"},
		"pushcart/packager/m3u8":   {"net", "os", "net/http", "context", "sync", "pushcart/media"},
		"pushcart/ingest/rtmp":     {"net/http"},
		"pushcart/stream":          {"net", "os", "net/http"},
		"pushcart/ingest/rtmp/amf": {"net", "os"},
	}
	seen := 0
	for _, p := range packages(t) {
		for _, forbidden := range pure[p.ImportPath] {
			if slices.Contains(p.Imports, forbidden) {
				t.Errorf("%s imports %s", p.ImportPath, forbidden)
			}
		}
		if pure[p.ImportPath] != nil {
			seen++
		}
	}
	if seen != len(pure) {
		t.Errorf("%d of %d pure packages exist", seen, len(pure))
	}
}
