package rtsp

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/media"
	"pushcart/media/mediatest"
)

// TestParameterSets has them where hosts have them: in the description, in band, in both, before each slice.
func TestParameterSets(t *testing.T) {
	for _, clip := range []string{"h264b", "hevc"} {
		for _, where := range []fakeCamera{{}, {inBand: true}, {inBand: true, noSets: true}, {inBand: true, perSlice: true}} {
			c := where
			c.clip = clip
			t.Run(fmt.Sprintf("%s, in band %v, described %v, per slice %v", clip, c.inBand, !c.noSets, c.perSlice), func(t *testing.T) {
				c.prepare(t)
				show := receive(t, &c, 0, c.film(t, time.Now(), 10*time.Second))
				if got := c.checkPictures(t, show); got != int(10*90000/c.frame) {
					t.Errorf("%d pictures", got)
				}
				if n := announcements(show); n != 1 {
					t.Errorf("the track was announced %d times", n)
				}
				if f, err := media.ParseConfig(show.track(t, videoTrackID)); err != nil || f.Width == 0 {
					t.Errorf("%+v, %v", f, err)
				}
			})
		}
	}
}

func announcements(show *fakeShow) int {
	n := 0
	for _, tr := range show.Tracks {
		if tr.ID == videoTrackID {
			n++
		}
	}
	return n
}

// TestNewParameterSets changes the picture in the middle of a show, in band: pictures under the new sets come
// behind their announcement, and none under the wrong ones.
func TestNewParameterSets(t *testing.T) {
	a, b := &fakeCamera{clip: "h264b", inBand: true}, &fakeCamera{clip: "h264", inBand: true}
	a.prepare(t)
	b.prepare(t)
	begin := time.Now()
	packets := a.pictures(t, begin, 4*time.Second)
	last := packets[len(packets)-1]
	b.sequence, b.videoStart = last.Sequence+1, 4*90000
	packets = append(packets, b.pictures(t, begin.Add(4*time.Second), 4*time.Second)...)
	show := receive(t, a, 0, packets)
	if n := announcements(show); n != 2 {
		t.Fatalf("%d announcements", n)
	}
	want := slices.Concat(a.units, b.units)
	for i, au := range show.of(videoTrackID) {
		if !slices.ContainsFunc(want, func(w media.AccessUnit) bool { return bytes.Equal(w.Data, au.Data) }) {
			t.Fatalf("picture %d is neither camera's", i)
		}
	}
	if f, _ := media.ParseConfig(show.track(t, videoTrackID)); f != formatOf(b.track) {
		t.Errorf("the format is %+v", f)
	}
	if len(show.counts) > 0 {
		t.Errorf("counts %v", show.counts)
	}
}

func formatOf(t media.Track) media.Format {
	f, _ := media.ParseConfig(t)
	return f
}

// TestUndeclaredReordering has B-frames, and parameter sets that do not say so: presentation stays exact, and
// decoding falls in line.
func TestUndeclaredReordering(t *testing.T) {
	clip, units := mediatest.Clip("h264b")
	for name, known := range map[string]bool{"with the order of pictures": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			f := &feed{}
			show := newFakeShow()
			f.pub = show
			v := &video{t: &track{feed: f, id: 1}, codec: media.CodecH264, sets: media.NewSets(media.CodecH264), accepted: true, waiting: true}
			v.t.clock.rate, f.tracks = 90000, []*track{v.t}
			if known {
				for _, nal := range configNALs(clip) {
					v.sets.Add(nal)
				}
			}
			f.begin = time.Now()
			for i := range 3 * len(units) {
				au := units[i%len(units)]
				var slice []byte
				for nal := range media.NALUnits(4, au.Data) {
					if isSlice(v.codec, nal) {
						slice = nal
						break
					}
				}
				at := media.Rescale(au.PTS-units[0].PTS, clip.Timescale, 90000) + int64(i/len(units))*int64(len(units))*3000
				v.reorder(slice, au.RandomAccess)
				v.write(rtp.Frame{Timestamp: uint32(at), Arrived: f.begin.Add(time.Duration(i) * time.Second / 30)}, au.Data, au.RandomAccess)
			}
			late := 0
			got := show.of(1)
			for i, au := range got {
				if i > 0 && au.DTS <= got[i-1].DTS {
					t.Fatalf("picture %d: DTS %d behind %d", i, au.DTS, got[i-1].DTS)
				}
				if au.PTS < au.DTS {
					late++
				}
				if i > 20 && au.DTS-got[i-1].DTS != 3000 {
					t.Fatalf("picture %d: DTS goes from %d to %d", i, got[i-1].DTS, au.DTS)
				}
			}
			if known && late > 0 || late > 8 {
				t.Errorf("%d pictures are shown before they are decoded", late)
			}
		})
	}
}
