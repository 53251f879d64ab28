package packager

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/m3u8"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update and look at the diff); got:\n%s", file, got)
	}
}

func multivariantText(t testing.TB, p *Packager) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing is waited for
	d, err := p.Window().Multivariant(ctx)
	if err != nil {
		t.Fatalf("there is no multivariant playlist yet: %v", err)
	}
	return string(d.Text())
}

// offered returns the URIs in the multivariant playlist, variants before audio.
func offered(t testing.TB, p *Packager) string {
	t.Helper()
	m, err := m3u8.ParseMultivariant([]byte(multivariantText(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range m.Variants {
		names = append(names, strings.TrimSuffix(v.URI, ".m3u8"))
	}
	for _, a := range m.Audio {
		names = append(names, strings.TrimSuffix(a.URI, ".m3u8"))
	}
	return strings.Join(names, " ")
}

// host is what a host of several tracks sends.
type host struct {
	tracks []media.Track
	rows   [][]media.AccessUnit
}

func (h *host) video(v mediatest.Video, seconds int, label string) {
	t := v.Track()
	t.Label = label
	h.tracks = append(h.tracks, t)
	h.rows = append(h.rows, v.Units(seconds*int(t.FrameRate)))
}

func (h *host) audio(a mediatest.Audio, seconds int) {
	t := a.Track()
	h.tracks = append(h.tracks, t)
	rate := cmp.Or(a.SampleRate, 48000)
	h.rows = append(h.rows, a.Units(seconds*rate/1024))
}

func (h *host) units() []media.AccessUnit { return mediatest.Interleave(h.tracks, h.rows...) }

// TestMultitrack packages three video and two audio tracks of one host: variants and renditions, cut at the
// same moments to the tick.
func TestMultitrack(t *testing.T) {
	small, _ := mediatest.Clip("h264b")
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {0, 2, 1, 4, 3}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			h := &host{}
			h.video(mediatest.Video{Start: 90000, Bytes: 4000}, 20, "")
			h.video(mediatest.Video{ID: 4, Start: 90000, Bytes: 1000, Config: small.Config}, 20, "small")
			h.video(mediatest.Video{ID: 6, Start: 90000, Bytes: 2000}, 20, "")
			h.audio(mediatest.Audio{Start: 48000, Bytes: 300, Language: "en"}, 20)
			h.audio(mediatest.Audio{ID: 5, Start: 48000, Bytes: 200, Language: "fr"}, 20)
			tracks := make([]media.Track, len(h.tracks))
			for i, o := range order {
				tracks[i] = h.tracks[o]
			}
			p := newShow(t, "low")
			in := inspect(t, p)
			feed(t, p, in, tracks, h.units())
			for _, r := range p.renditions {
				if r.video() {
					sameBoundaries(t, p.renditions[0], r)
				}
				if got, want := len(in.pts(r.name)), len(h.rows[slices.IndexFunc(h.tracks, func(x media.Track) bool { return x.ID == r.track.ID })]); got < want-20 {
					t.Errorf("%s has %d of %d units", r.name, got, want)
				}
			}
			text := multivariantText(t, p)
			if order[1] == 1 {
				golden(t, "multitrack.m3u8", text)
			}
			m, err := m3u8.ParseMultivariant([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			var ids []int
			for _, v := range m.Variants {
				i := slices.IndexFunc(p.renditions, func(r *rendition) bool { return r.list == v.URI })
				ids = append(ids, p.renditions[i].track.ID)
			}
			if !slices.Equal(ids, []int{1, 6, 4}) {
				t.Errorf("the variants are tracks %v", ids)
			}
			for _, r := range p.renditions {
				list, err := m3u8.ParseMedia([]byte(playlistText(t, p, r.name, SkipNone)))
				if err != nil {
					t.Fatal(err)
				}
				var reports []string
				for _, x := range list.Reports {
					reports = append(reports, x.URI)
				}
				if len(reports) != 4 || slices.Contains(reports, r.list) {
					t.Errorf("%s reports of %v", r.name, reports)
				}
			}
		})
	}
}

// sameBoundaries checks that all segments and parts of two renditions begin and end at the same ticks.
func sameBoundaries(t testing.TB, a, b *rendition) {
	t.Helper()
	if a.timescale() != b.timescale() || len(a.segments) != len(b.segments) {
		t.Fatalf("%s has %d segments, %s has %d", a.name, len(a.segments), b.name, len(b.segments))
	}
	for i, x := range a.segments {
		y := b.segments[i]
		if x.msn != y.msn || x.duration != y.duration || !x.start.Equal(y.start) || len(x.parts) != len(y.parts) {
			t.Fatalf("segment %d of %s: %v, %v, %d parts; of %s: %v, %v, %d parts", x.msn, a.name, x.start, x.duration, len(x.parts),
				b.name, y.start, y.duration, len(y.parts))
		}
		for n := range x.parts {
			if x.parts[n].ticks != y.parts[n].ticks || x.parts[n].independent != y.parts[n].independent {
				t.Fatalf("part %d.%d differs between %s and %s", x.msn, n, a.name, b.name)
			}
		}
	}
}
