package main

import (
	"math"

	"pushcart/admin"
	"pushcart/config"
	"pushcart/metrics"
	"pushcart/transcode/sound"
)

// soundOptions says what is made of sound, by the same ffmpeg as the ladder.
func soundOptions(conf config.Config) sound.Options {
	ladder := conf.Ladder.WithDefaults()
	opt := sound.Options{
		FFmpeg: ladder.FFmpeg, Nice: ladder.Nice,
		Convert: conf.Sound.Converts(), Ducking: float64(conf.Sound.Ducking),
	}
	if len(ladder.Shows) > 0 {
		opt.Qualities = func(name string, encoders map[string]bool) (list []sound.Quality) {
			for _, r := range ladder.AudioBitRates(name, encoders) {
				list = append(list, sound.Quality{Group: r.Group(), BitRate: int(r)})
			}
			return list
		}
	}
	return opt
}

// describeSound says how the sound is doing that is made for a show.
func (s *server) describeSound(name string) []admin.Sound {
	var list []admin.Sound
	for _, st := range s.studio.Status(name) {
		a := admin.Sound{
			Role: st.Role, State: string(st.State), Why: st.Why, Failures: st.Failures,
			Lag: math.Round(st.Lag.Seconds()*1000) / 1000, Tracks: make([]admin.SoundTrack, 0, len(st.Tracks)),
		}
		for _, t := range st.Tracks {
			a.Tracks = append(a.Tracks, admin.SoundTrack{Language: t.Language, Label: t.Label, Group: t.Group, BitRate: t.BitRate})
		}
		list = append(list, a)
	}
	return list
}

func (s *server) reportSound(m metrics.Scrape, name string) {
	for _, st := range s.studio.Status(name) {
		on := 0.0
		if st.State == sound.Running {
			on = 1
		}
		m.Set(metrics.SoundOn, on, name, st.Role)
		m.Set(metrics.SoundFailures, float64(st.Failures), name, st.Role)
		m.Set(metrics.SoundLag, st.Lag.Seconds(), name, st.Role)
	}
}
