package ingest

import (
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// Whatever host and contributors send, what comes out is in order, belongs to a track that is known, and a
// rendition of the picture begins with a keyframe.
func FuzzContributors(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"))
	f.Add([]byte("aaaabbbbccccddddaaaaeeeeffffgggg"))
	f.Add([]byte{0xff, 0x80, 0x3f, 0, 0x41, 0x41, 0xc0, 0x7f, 0x90, 0x11, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, script []byte) {
		synctest.Test(t, func(t *testing.T) {
			sh := newShow(t)
			d := sh.desk()
			open := map[byte]*Session{}
			sent := map[byte]int{}
			shift := map[byte]int64{}
			for i, b := range script[:min(len(script), 64)] {
				who := b & 3
				s := open[who]
				if s == nil {
					s = sh.open(d, []string{"a", "a/720p", "a@fr", "a/360p"}[who], "")
					open[who] = s
				}
				switch what := b >> 2 & 15; {
				case what == 0:
					s.Close(nil)
					delete(open, who)
					continue
				case what == 1:
					shift[who] += int64(int8(b)) * 997 * int64(i)
				case what == 2:
					time.Sleep(time.Duration(i) * 300 * time.Millisecond)
				case what == 3:
					sent[who] += 17
				}
				_ = s.SetTrack(video.Track())
				_ = s.SetTrack(audio.Track())
				for range 30 {
					n := sent[who]
					sent[who]++
					time.Sleep(33 * time.Millisecond)
					v, a := video.Unit(n), audio.Unit(n*48/30)
					v.DTS, v.PTS, a.DTS, a.PTS = v.DTS+shift[who], v.PTS+shift[who], a.DTS+shift[who], a.PTS+shift[who]
					if s.Write(v) != nil || s.Write(a) != nil {
						t.Fatal("a session that is open can't write")
					}
				}
				sh.read()
			}
			known, last, fresh := map[int]media.Track{}, map[int]int64{}, map[int]bool{}
			for _, ev := range sh.events {
				switch ev.Kind {
				case stream.EventTracks:
					clear(known)
					clear(last)
					fallthrough
				case stream.EventJoined:
					for _, track := range ev.Tracks {
						if known[track.ID].ID == 0 {
							fresh[track.ID] = track.Kind() == media.KindVideo && ev.Kind == stream.EventJoined
						}
						known[track.ID] = track
					}
				case stream.EventLeft:
					for _, track := range ev.Tracks {
						delete(known, track.ID)
						delete(last, track.ID)
					}
				case stream.EventUnit:
					au := ev.Unit
					if known[au.Track].ID == 0 {
						t.Fatalf("a unit of track %d, which is not there", au.Track)
					}
					if before, ok := last[au.Track]; ok && au.DTS < before {
						t.Errorf("track %d: DTS goes from %d to %d", au.Track, before, au.DTS)
					}
					if fresh[au.Track] && !au.RandomAccess {
						t.Errorf("track %d begins without a keyframe", au.Track)
					}
					last[au.Track], fresh[au.Track] = au.DTS, false
				}
			}
		})
	})
}
