package fmp4_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/fmp4"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update and look at the diff); got:\n%s", name, got)
	}
}

// initFor returns the initialization segment of track.
func initFor(t testing.TB, track media.Track) []byte {
	t.Helper()
	f, err := media.ParseConfig(track)
	if err != nil {
		t.Fatal(err)
	}
	b, err := fmp4.Init(track, f, 1)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fragments packs units into fragments of n samples, as a packager would. The last sample lasts as long as
// the one before it.
func fragments(track media.Track, units []media.AccessUnit, n int) []fmp4.Fragment {
	var all []fmp4.Fragment
	for i := range units {
		if i%n == 0 {
			all = append(all, fmp4.Fragment{
				Styp: true, Sequence: uint32(len(all) + 1), TrackID: 1,
				BaseTime: uint64(units[i].DTS), Video: track.Kind() == media.KindVideo,
			})
		}
		next := min(i+1, len(units)-1)
		f := &all[len(all)-1]
		f.Samples = append(f.Samples, fmp4.Sample{
			Duration:          uint32(units[next].DTS - units[next-1].DTS),
			CompositionOffset: int32(units[i].PTS - units[i].DTS),
			Sync:              units[i].RandomAccess,
			Data:              units[i].Data,
		})
	}
	return all
}

// forEachClip runs a test on each recorded track.
func forEachClip(t *testing.T, test func(t *testing.T, name string, track media.Track, units []media.AccessUnit)) {
	for _, name := range mediatest.Clips() {
		t.Run(name, func(t *testing.T) {
			track, units := mediatest.Clip(name)
			test(t, name, track, units)
		})
	}
}
