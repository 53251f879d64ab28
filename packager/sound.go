package packager

import (
	"slices"
	"time"

	"pushcart/media"
)

// soundPatience is how much of the show the first viewers wait for sound that has to be made of the host's first. Players
// read the multivariant playlist once: who comes before the sound stays without.
const soundPatience = 3 * time.Second

// soundSource returns the host's first audio track if it is one that viewers don't get, but something made of it.
func soundSource(tracks []media.Track) *media.Track {
	for i, t := range tracks {
		if t.Kind() == media.KindAudio && !t.Contributed {
			if t.Internal {
				return &tracks[i]
			}
			return nil
		}
	}
	return nil
}

// awaitsSound reports whether the show is too young to be offered without the sound that is being made.
func (p *Packager) awaitsSound() bool {
	if p.source == nil || p.documents > 0 || media.Duration(p.lead.end-p.epochStart, p.lead.timescale()) >= soundPatience {
		return false
	}
	return !slices.ContainsFunc(p.renditions, func(r *rendition) bool { return !r.video() && r.original() && r.offered() })
}

// original reports whether r is what viewers know as the show's own, for audio: the host's first track, or what is made of
// that.
func (r *rendition) original() bool {
	if r.main || r.video() {
		return r.main
	}
	s := r.p.source
	return s != nil && r.track.Contributed && !r.quality() && r.track.Language == s.Language && r.track.Label == s.Label
}

// quality reports whether r is another's sound in another quality.
func (r *rendition) quality() bool { return !r.video() && r.track.Group != "" }

// shows reports whether there are pictures on offer that go with the audio of a group.
func (p *Packager) shows(group string) bool {
	return slices.ContainsFunc(p.renditions, func(r *rendition) bool { return r.video() && r.shown && r.track.Group == group })
}
