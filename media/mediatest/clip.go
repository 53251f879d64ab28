package mediatest

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"pushcart/media"
)

// clips are written by clip_test.go with -update.
//
//go:embed clips/*.json
var clips embed.FS

// clip is how a recorded track is kept: times in ticks, bytes in base64.
type clip struct {
	Made  string // the encoder's arguments
	Track media.Track
	Units []media.AccessUnit
}

// Clip returns a recorded track, about a second of it, that decodes without an error: "h264", "h264b" (with
// B-frames), "hevc", "av1", "aac", "opus". Video has a keyframe every 15 pictures, times in 1/15360 s or so,
// and 30 pictures a second. The caller may keep and modify everything. It panics for a name it does not know.
func Clip(name string) (media.Track, []media.AccessUnit) {
	c := load(name)
	return c.Track, c.Units
}

// Clips returns the names that Clip knows.
func Clips() []string {
	files, err := clips.ReadDir("clips")
	if err != nil {
		panic(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".json"))
	}
	return names
}

func load(name string) clip {
	b, err := clips.ReadFile(path.Join("clips", name+".json"))
	if err != nil {
		panic(fmt.Sprintf("mediatest: no clip %q", name))
	}
	var c clip
	if err := json.Unmarshal(b, &c); err != nil {
		panic(fmt.Sprintf("mediatest: clip %q: %v", name, err))
	}
	return c
}
