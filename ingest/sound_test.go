package ingest

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
)

// TestSilence gives a show of pictures a silent track, which real sound replaces when it comes.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		s.sound.Silence = true
		s.Expect(true, false)
		if err := s.SetTrack(video.Track()); err != nil {
			t.Fatal(err)
		}
		play(t, s, video.Units(300))
		added := audioTracks(sh)
		if len(added) != 1 || !bytes.Equal(added[0].Config, silentTrack.Config) {
			t.Fatalf("audio tracks: %v", added)
		}
		silent := sh.units(added[0].ID)
		if len(silent) < 450 {
			t.Errorf("%d units of silence in 10 s", len(silent))
		}
		steps(t, "silence", silent, 1024, 0)
		if st, _ := sh.hub.Stream("a"); len(st.Status().Remarks) != 0 {
			t.Errorf("remarks: %v", st.Status().Remarks)
		}

		sound := audio.Track()
		sound.ID = 7
		if err := s.SetTrack(sound); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for i, au := range video.Units(600)[300:] {
			time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / 30)))
			if err := s.Write(au); err != nil {
				t.Fatal(err)
			}
		}
		if now := audioTracks(sh); len(now) != 1 || now[0].ID != 7 {
			t.Errorf("with sound, the audio tracks are %v", now)
		}
	})
}

// audioTracks returns those of the show's present epoch.
func audioTracks(sh *show) (list []media.Track) {
	sh.read()
	st, _ := sh.hub.Stream("a")
	for _, t := range st.Tracks() {
		if t.Kind() == media.KindAudio {
			list = append(list, t)
		}
	}
	return list
}
