package transcode

import (
	"cmp"

	"pushcart/media"
)

// source is what is transcoded, and into what.
type source struct {
	track   media.Track
	format  media.Format
	targets []target
	sent    map[int]bool // see show.sent
	epoch   int          // of the show
}

// source finds the host's first video track and plans the rungs. Its targets are empty if there is nothing to do.
func (sh *show) source(tracks []media.Track, epoch int) source {
	for _, t := range tracks {
		if t.Kind() != media.KindVideo || t.Contributed {
			continue
		}
		f, err := media.ParseConfig(t)
		if err != nil {
			continue
		}
		sent := sh.sent(t.ID)
		targets, why := plan(sh.rungs, t, f, sh.bitRate(t), sent)
		sh.planned(targets, why)
		if len(targets) > 0 {
			targets = targets[:max(1, len(targets)-sh.policy.dropped)]
		}
		return source{t, f, targets, sent, epoch}
	}
	sh.planned(nil, "there are no pictures")
	return source{}
}

// sent returns the short sides of pictures that come with the show beside those of the source: more tracks of the
// host, or connections of their own. Nobody has to make those.
func (sh *show) sent(source int) map[int]bool {
	st := sh.s.Status()
	ours := make(map[int]bool)
	for _, c := range st.Contributors {
		for _, id := range c.Tracks {
			ours[id] = c.Role == role
		}
	}
	sent := make(map[int]bool)
	for _, t := range st.Tracks {
		if t.Track.Kind() != media.KindVideo || t.Track.ID == source || ours[t.Track.ID] {
			continue
		}
		if f, err := media.ParseConfig(t.Track); err == nil {
			sent[min(f.Width, f.Height)] = true
		}
	}
	return sent
}

// bitRate is what the host has declared, or what has been measured; zero if neither.
func (sh *show) bitRate(t media.Track) float64 {
	measured := 0.0
	for _, st := range sh.s.Status().Tracks {
		if st.Track.ID == t.ID {
			measured = st.BitRate
		}
	}
	return cmp.Or(float64(t.BitRate), measured)
}
