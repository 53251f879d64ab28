package fmp4

import (
	"fmt"

	"pushcart/media"
)

// maxReadBrands bounds what is kept of an ftyp or styp.
const maxReadBrands = 64

// Header is what ReadInit finds in an initialization segment.
type Header struct {
	Brands    []string // major first
	TrackID   uint32
	Timescale uint32
	Entry     string // type of the sample entry: avc1, hvc1, av01, mp4a, Opus
	Kind      media.Kind
	HasEdits  bool // there is an edit list
}

// ReadInit reads an initialization segment with one track.
func ReadInit(b []byte) (Header, error) {
	var h Header
	tracks := 0
	err := Walk(b, func(x Box) error {
		f := &fields{b: x.Data}
		switch x.Type {
		case "ftyp":
			h.Brands = append(h.Brands, string(f.take(4)))
			f.take(4)
			for len(f.b) >= 4 && len(h.Brands) < maxReadBrands {
				h.Brands = append(h.Brands, string(f.take(4)))
			}
		case "trak":
			tracks++
		case "tkhd":
			version, _ := f.full()
			f.wide(version)
			f.wide(version)
			h.TrackID = f.u32()
		case "mdhd":
			version, _ := f.full()
			f.wide(version)
			f.wide(version)
			h.Timescale = f.u32()
		case "hdlr":
			f.take(8)
			switch string(f.take(4)) {
			case "vide":
				h.Kind = media.KindVideo
			case "soun":
				h.Kind = media.KindAudio
			}
		case "stsd":
			f.take(12)
			h.Entry = string(f.take(4))
		case "elst", "edts":
			h.HasEdits = true
		}
		return inBox(x, f.err)
	})
	if err == nil && (tracks != 1 || h.TrackID == 0 || h.Timescale == 0) {
		err = fmt.Errorf("fmp4: %d tracks, the last with ID %d and timescale %d", tracks, h.TrackID, h.Timescale)
	}
	return h, err
}

// inBox says in which box err came up.
func inBox(x Box, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("fmp4: box %q at byte %d %w", x.Type, x.Offset, err)
}
