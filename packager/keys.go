package packager

import (
	"slices"

	"pushcart/packager/m3u8"
)

// keysSuffix is behind the name of a video rendition in that of its playlist of key pictures, for trick play
// (rfc8216bis 4.4.3.6).
const keysSuffix = "-iframes"

// keyDocument returns the document of the rendition's key pictures. It is the one of the snapshot before, as
// long as no segment has come or gone: it has no parts.
func (pl *playlist) keyDocument(before *playlist) *Document {
	if before != nil && before.keys != nil && before.target == pl.target && before.ended == pl.ended && before.dsn == pl.dsn &&
		slices.Equal(before.listed, pl.listed) {
		return before.keys
	}
	return &Document{list: pl, what: keysText}
}

// renderKeys writes the playlist of key pictures: the fragment at the beginning of each segment, whole boxes from
// its moof on, as a byte range. A segment without a keyframe at its beginning is a gap, so that all playlists
// have the same segments under the same numbers (docs/adr/0012-key-pictures-are-fragments.md).
func (pl *playlist) renderKeys() []byte {
	m := m3u8.Media{
		TargetDuration:        pl.target,
		HoldBack:              3 * pl.targetDuration(),
		PartHoldBack:          pl.latency.HoldBack, // the server's control is the same in all playlists
		CanSkipUntil:          pl.skipUntil(),
		MediaSequence:         pl.open.msn - int64(len(pl.listed)),
		DiscontinuitySequence: pl.dsn,
		IFramesOnly:           true,
		Segments:              make([]m3u8.Segment, len(pl.listed)),
		EndList:               pl.ended,
	}
	for i, s := range pl.listed {
		m.Segments[i] = m3u8.Segment{
			URI:           s.uri,
			Duration:      s.duration,
			Discontinuity: s.discontinuity,
			Map:           s.init.uri,
			ProgramDate:   s.start,
			Gap:           s.gap,
		}
		if key := s.key(); key.Length > 0 {
			m.Segments[i].Range = key
		} else {
			m.Segments[i].Gap = true
		}
	}
	return m.Append(nil)
}

// key is where in s the fragment is that begins with its keyframe; zero if there is none.
func (s *segment) key() m3u8.ByteRange {
	if len(s.parts) == 0 || !s.parts[0].independent || s.parts[0].gap {
		return m3u8.ByteRange{}
	}
	x := s.parts[0]
	return m3u8.ByteRange{Offset: int64(x.head), Length: int64(len(x.data) - x.head)}
}
