package ffmpeg

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	got := environment([]string{"PATH=/bin", "PUSHCART_AUTH_SECRET=x", "LIBVA_DRIVER_NAME=iHD"})
	if want := []string{"PATH=/bin", "LIBVA_DRIVER_NAME=iHD"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestLastWords(t *testing.T) {
	var w lastWords
	for i := range 100 {
		fmt.Fprintf(&w, "line %d\r\n", i)
	}
	w.Write([]byte(strings.Repeat("x", 10_000)))
	text := w.String()
	if !strings.HasPrefix(text, "line 89 | line 90 | ") || !strings.HasSuffix(text, " | "+strings.Repeat("x", maxLineBytes)) {
		t.Errorf("%q", text)
	}
}

// TestProbeScript: a script that leaves something running behind is as good as what it calls.
func TestProbeScript(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "ffmpeg")
	const text = "#!/bin/sh\nsleep 15 &\ncase \"$2\" in -version) echo ffmpeg version 7.0;; *) echo ' A....D aac  AAC';; esac\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if a := Probe(t.Context(), script); a.Problem != "" || a.Version != "7.0" || !a.Encoders["aac"] {
		t.Errorf("%+v", a)
	}
}

func TestVersion(t *testing.T) {
	for text, want := range map[string]struct {
		version string
		old     bool
	}{
		"ffmpeg version 5.1.8-0+deb12u1 Copyright (c) 2000-2025": {"5.1.8-0+deb12u1", false},
		"ffmpeg version n7.0-7-gd38bf5e08e-20240407 Copyright":   {"n7.0-7-gd38bf5e08e-20240407", false},
		"ffmpeg version N-109542-g1bf1222 Copyright":             {"N-109542-g1bf1222", false},
		"ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright":        {"4.4.2-0ubuntu0.22.04.1", true},
		"ffmpeg version 5.0 Copyright":                           {"5.0", true},
		"sox 14":                                                 {"", false},
	} {
		if got := version(text); got != want.version || tooOld(got) != want.old {
			t.Errorf("%q: %q, old %v", text, got, tooOld(got))
		}
	}
}
