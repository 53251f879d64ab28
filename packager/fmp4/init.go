package fmp4

import (
	"fmt"
	"math"

	"pushcart/media"
)

// Limits of what a sample entry is made from. A real configuration is some tens of bytes long.
const (
	maxConfigBytes = 1 << 16
	minOpusHead    = 11 // the body's fixed fields
	maxDimension   = math.MaxUint16
)

// Init returns the initialization segment of a rendition: ftyp, then moov with the one track t, whose
// track_ID is trackID. The media timescale is t.Timescale. f is what media.ParseConfig said of t.
//
// It has no duration, no samples and no edit list: players differ in how they apply an edit list to cues,
// and signed composition offsets make it needless (ISO/IEC 23000-19 7.7.2).
func Init(t media.Track, f media.Format, trackID uint32) ([]byte, error) {
	if err := checkInit(t, f, trackID); err != nil {
		return nil, fmt.Errorf("fmp4: init segment for %q: %w", t.Codec, err)
	}
	w := &tree{b: make([]byte, 0, 1024+len(t.Config))}
	w.box("ftyp", func() {
		// iso6 as the major brand is what HLS asks for in so many words (rfc8216bis 3.1.2).
		w.text("iso6")
		w.u32(0)
		w.text("iso6cmfccmf2mp41")
	})
	w.box("moov", func() {
		writeMvhd(w, trackID)
		w.box("trak", func() {
			writeTkhd(w, t, f, trackID)
			writeMdia(w, t, f)
		})
		w.box("mvex", func() {
			w.full("trex", 0, 0, func() {
				w.u32(trackID)
				w.u32(1) // default_sample_description_index
				w.zero(12)
			})
		})
	})
	return w.b, nil
}

func checkInit(t media.Track, f media.Format, trackID uint32) error {
	switch {
	case trackID == 0:
		return fmt.Errorf("track_ID 0 is not allowed")
	case t.Timescale <= 0 || t.Timescale > math.MaxUint32:
		return fmt.Errorf("timescale %d does not fit", t.Timescale)
	case len(t.Config) == 0:
		return fmt.Errorf("no decoder configuration")
	case len(t.Config) > maxConfigBytes:
		return fmt.Errorf("decoder configuration of %d bytes exceeds %d", len(t.Config), maxConfigBytes)
	}
	switch t.Kind() {
	case media.KindVideo:
		if !dimension(f.CodedWidth) || !dimension(f.CodedHeight) {
			return fmt.Errorf("picture size %dx%d does not fit", f.CodedWidth, f.CodedHeight)
		}
	case media.KindAudio:
		if f.Channels < 1 || f.Channels > 255 || f.SampleRate < 1 {
			return fmt.Errorf("%d channels at %d Hz do not fit", f.Channels, f.SampleRate)
		}
		if t.Codec == media.CodecOpus && len(t.Config) < minOpusHead {
			return fmt.Errorf("OpusHead of %d bytes is too short", len(t.Config))
		}
	default:
		return fmt.Errorf("%w: no sample entry for this codec", media.ErrUnsupported)
	}
	return nil
}

func dimension(n int) bool { return n > 0 && n <= maxDimension }

func writeMvhd(w *tree, trackID uint32) {
	w.full("mvhd", 0, 0, func() {
		w.zero(8)   // creation_time, modification_time
		w.u32(1000) // timescale: of nothing, as the duration is unknown
		w.u32(0)    // duration
		w.u32(0x00010000)
		w.u16(0x0100)
		w.zero(10)
		writeIdentityMatrix(w)
		w.zero(24)
		w.u32(trackID + 1)
	})
}

// writeIdentityMatrix writes the only matrix that all players agree on: a portrait show is encoded
// portrait, not rotated here.
func writeIdentityMatrix(w *tree) {
	for i := range 9 {
		switch i {
		case 0, 4:
			w.u32(0x00010000)
		case 8:
			w.u32(0x40000000)
		default:
			w.u32(0)
		}
	}
}

func writeTkhd(w *tree, t media.Track, f media.Format, trackID uint32) {
	const enabledInMovieInPreview = 7
	w.full("tkhd", 0, enabledInMovieInPreview, func() {
		w.zero(8)
		w.u32(trackID)
		w.zero(4 + 4 + 8) // reserved, duration, reserved
		w.u16(0)          // layer
		w.u16(0)          // alternate_group
		if t.Kind() == media.KindAudio {
			w.u16(0x0100) // volume
		} else {
			w.u16(0)
		}
		w.u16(0)
		writeIdentityMatrix(w)
		w.u32(uint32(min(f.Width, maxDimension)) << 16)
		w.u32(uint32(min(f.Height, maxDimension)) << 16)
	})
}

func writeMdia(w *tree, t media.Track, f media.Format) {
	w.box("mdia", func() {
		w.full("mdhd", 0, 0, func() {
			w.zero(8)
			w.u32(uint32(t.Timescale))
			w.u32(0)      // duration
			w.u16(0x55C4) // language "und"; elng says more
			w.u16(0)
		})
		w.full("hdlr", 0, 0, func() {
			w.u32(0)
			if t.Kind() == media.KindVideo {
				w.text("vide")
			} else {
				w.text("soun")
			}
			w.zero(12)
			w.text("pushcart\x00")
		})
		if lang := cString(t.Language); lang != "" {
			w.full("elng", 0, 0, func() { w.text(lang + "\x00") })
		}
		w.box("minf", func() {
			if t.Kind() == media.KindVideo {
				w.full("vmhd", 0, 1, func() { w.zero(8) })
			} else {
				w.full("smhd", 0, 0, func() { w.zero(4) })
			}
			writeDinf(w)
			writeStbl(w, t, f)
		})
	})
}

// writeDinf says that the media is in the same file.
func writeDinf(w *tree) {
	w.box("dinf", func() {
		w.full("dref", 0, 0, func() {
			w.u32(1)
			w.full("url ", 0, 1, func() {})
		})
	})
}

// writeStbl writes the sample entry, and tables that are empty because the samples are in fragments.
func writeStbl(w *tree, t media.Track, f media.Format) {
	w.box("stbl", func() {
		w.full("stsd", 0, 0, func() {
			w.u32(1)
			writeSampleEntry(w, t, f)
		})
		w.full("stts", 0, 0, func() { w.u32(0) })
		w.full("stsc", 0, 0, func() { w.u32(0) })
		w.full("stsz", 0, 0, func() { w.zero(8) })
		w.full("stco", 0, 0, func() { w.u32(0) })
	})
}
