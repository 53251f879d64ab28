package packager

import (
	"fmt"
	"slices"

	"pushcart/media"
	"pushcart/packager/m3u8"
)

// audioGroup is the rendition group of the main audio: audio is always a rendition of its own. Audio in another
// codec has a group of its own, because a player that lacks a codec that CODECS names drops the whole variant. Each
// further quality of the sound has one, too, behind whose id it has its name (docs/adr/0020-groups-of-sound-quality.md).
const audioGroup = "audio"

// group is audio that one variant can be combined with.
type group struct {
	id      string
	members []groupMember
}

// groupMember is a rendition of the sound, and the one of its qualities that is played for it.
type groupMember struct{ as, played *rendition }

// audioGroups puts renditions of the same codec together, the main one's first.
func audioGroups(audios []*rendition) (groups []group) {
	for _, r := range audios {
		i := slices.IndexFunc(groups, func(g group) bool { return g.members[0].as.track.Codec == r.track.Codec })
		if i < 0 {
			i = len(groups)
			id := audioGroup
			if i > 0 {
				id += "-" + string(r.track.Codec)
			}
			groups = append(groups, group{id: id})
		}
		groups[i].members = append(groups[i].members, groupMember{r, r})
	}
	return groups
}

// inQuality returns the group of the same members as g, each in the quality called name where it has that, and g itself
// if none has. A player that changes between variants with groups finds the same renditions in both (rfc8216bis
// 4.4.6.1.1).
func (g group) inQuality(name string, qualities []*rendition) group {
	q := group{g.id + "-" + name, slices.Clone(g.members)}
	some := false
	for i, m := range g.members {
		for _, r := range qualities {
			if name != "" && r.track.Group == name && m.as.has(r) {
				q.members[i].played, some = r, true
			}
		}
	}
	if !some {
		return g
	}
	return q
}

// has reports whether q is a quality of r. Only the show's own sound has any: an interpreter who speaks the host's language
// has not.
func (r *rendition) has(q *rendition) bool {
	if q.track.Language == "" && q.track.Label == "" {
		return r.original()
	}
	return r.original() && q.track.Language == r.track.Language && q.track.Label == r.track.Label
}

// variant describes r together with g: with the largest of its members, and the codecs of all.
func (g group) variant(r *rendition) m3u8.Variant {
	v := r.variant()
	peak, average := 0, 0
	for _, a := range g.members {
		x := a.played.variant()
		peak, average = max(peak, x.Bandwidth), max(average, x.AverageBandwidth)
		if !slices.Contains(v.Codecs, x.Codecs[0]) {
			v.Codecs = append(v.Codecs, x.Codecs[0])
		}
	}
	if r.video() {
		v.Bandwidth += peak
		v.AverageBandwidth += average
	} else {
		v.Bandwidth, v.AverageBandwidth = peak, average
	}
	return v
}

// listAudio lists the members of the groups. The first of each is what plays unless somebody chooses otherwise;
// a player may choose by itself only what has a language.
func listAudio(groups []group) (list []m3u8.AudioRendition) {
	for _, g := range groups {
		var names []string
		for i, m := range g.members {
			name := m.as.audioName()
			for n := 2; slices.Contains(names, name); n++ {
				name = fmt.Sprintf("%s (%d)", m.as.audioName(), n)
			}
			names = append(names, name)
			list = append(list, m3u8.AudioRendition{
				Group:      g.id,
				Name:       name,
				Language:   m.as.track.Language,
				URI:        m.played.list,
				Default:    i == 0,
				AutoSelect: i == 0 || m.as.track.Language != "",
				Channels:   m.played.format.Channels,
				StableID:   m.played.name,
			})
		}
	}
	return list
}

// audioName is what a viewer chooses a rendition by.
func (r *rendition) audioName() string {
	if r.track.Label != "" {
		return r.track.Label
	}
	if name := media.LanguageName(r.track.Language); name != "" {
		return name
	}
	if r.original() {
		return "Original"
	}
	return "Track " + r.name[1:]
}
