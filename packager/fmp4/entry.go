package fmp4

import (
	"encoding/binary"

	"pushcart/media"
)

// writeSampleEntry writes the sample entry of t. checkInit has seen to it that there is one.
func writeSampleEntry(w *tree, t media.Track, f media.Format) {
	switch t.Codec {
	case media.CodecH264:
		writeVisual(w, "avc1", "avcC", t, f)
	case media.CodecHEVC:
		writeVisual(w, "hvc1", "hvcC", t, f)
	case media.CodecAV1:
		writeVisual(w, "av01", "av1C", t, f)
	case media.CodecAAC:
		writeAudio(w, "mp4a", t, f, func() { writeEsds(w, t) })
	case media.CodecOpus:
		writeAudio(w, "Opus", t, f, func() { writeDOps(w, t.Config) })
	}
}

// writeVisual writes a VisualSampleEntry. CMAF asks for colr and pasp in each (ISO/IEC 23000-19 9.2.3);
// what the stream does not say is written as unspecified, and as square.
func writeVisual(w *tree, entry, config string, t media.Track, f media.Format) {
	w.box(entry, func() {
		w.zero(6)
		w.u16(1) // data_reference_index
		w.zero(16)
		w.u16(uint16(f.CodedWidth))
		w.u16(uint16(f.CodedHeight))
		w.u32(0x00480000) // 72 dpi, both ways
		w.u32(0x00480000)
		w.u32(0)
		w.u16(1)   // frame_count
		w.zero(32) // compressorname
		w.u16(0x0018)
		w.u16(0xFFFF)
		w.box(config, func() { w.bytes(t.Config) })
		w.box("colr", func() {
			w.text("nclx")
			w.u16(specified(f.Color.Primaries))
			w.u16(specified(f.Color.Transfer))
			w.u16(specifiedMatrix(f.Color))
			if f.Color.FullRange {
				w.u8(0x80)
			} else {
				w.u8(0)
			}
		})
		w.box("pasp", func() {
			w.u32(uint32(max(f.AspectH, 1)))
			w.u32(uint32(max(f.AspectV, 1)))
		})
		writeBtrt(w, t)
	})
}

// unspecified is the code point of ISO/IEC 23091-2 for "unknown, or determined by the application".
const unspecified = 2

// specified maps the reserved zero, which Format uses for "not said".
func specified(v uint8) uint16 {
	if v == 0 {
		return unspecified
	}
	return uint16(v)
}

// specifiedMatrix is specified for matrix coefficients, where zero also means RGB: it does if the
// stream says anything else about its colours.
func specifiedMatrix(c media.Color) uint16 {
	if c.Matrix == 0 && c.Primaries != 0 {
		return 0
	}
	return specified(c.Matrix)
}

// writeAudio writes an AudioSampleEntry of version 0. Its sample rate has 16 bits; one that does not fit
// is left out, as the decoder configuration says it too.
func writeAudio(w *tree, entry string, t media.Track, f media.Format, config func()) {
	w.box(entry, func() {
		w.zero(6)
		w.u16(1) // data_reference_index
		w.zero(8)
		w.u16(uint16(f.Channels))
		w.u16(16) // samplesize
		w.zero(4)
		if f.SampleRate <= 0xFFFF {
			w.u32(uint32(f.SampleRate) << 16)
		} else {
			w.u32(0)
		}
		config()
		writeBtrt(w, t)
	})
}

// writeBtrt writes the bit rate if the host declared one.
func writeBtrt(w *tree, t media.Track) {
	if t.BitRate <= 0 {
		return
	}
	rate := uint32(min(int64(t.BitRate), 0xFFFFFFFF))
	w.box("btrt", func() {
		w.u32(0)
		w.u32(rate)
		w.u32(rate)
	})
}

// writeEsds writes the descriptors around an AudioSpecificConfig (ISO/IEC 14496-1 7.2.6, 14496-14 3.1).
func writeEsds(w *tree, t media.Track) {
	const (
		tagES, tagDecoderConfig, tagDecoderSpecific, tagSLConfig = 3, 4, 5, 6

		objectTypeAAC   = 0x40
		streamTypeAudio = 5<<2 | 1
	)
	specific := descriptorSize(len(t.Config))
	decoder := descriptorSize(13 + specific)
	w.full("esds", 0, 0, func() {
		writeDescriptor(w, tagES, 3+decoder+descriptorSize(1))
		w.u16(0) // ES_ID
		w.u8(0)  // no dependency, no URL, no OCR
		writeDescriptor(w, tagDecoderConfig, 13+specific)
		w.u8(objectTypeAAC)
		w.u8(streamTypeAudio)
		w.zero(3) // bufferSizeDB
		rate := uint32(min(max(int64(t.BitRate), 0), 0xFFFFFFFF))
		w.u32(rate) // maximum and average; zero: unknown
		w.u32(rate)
		writeDescriptor(w, tagDecoderSpecific, len(t.Config))
		w.bytes(t.Config)
		writeDescriptor(w, tagSLConfig, 1)
		w.u8(2) // predefined: MP4 file
	})
}

// descriptorSize is the size of a descriptor with n bytes of content.
func descriptorSize(n int) int { return 1 + 4 + n }

// writeDescriptor writes tag and length, the latter in the four bytes that everybody expects there.
func writeDescriptor(w *tree, tag uint8, n int) {
	w.u8(tag)
	w.u8(0x80 | uint8(n>>21))
	w.u8(0x80 | uint8(n>>14))
	w.u8(0x80 | uint8(n>>7))
	w.u8(uint8(n) & 0x7F)
}

// writeDOps turns an OpusHead body into the box ("Encapsulation of Opus in ISO Base Media File Format"
// 4.3.2): the same fields, big-endian, in version 0. checkInit has seen to it
// that the fixed fields are there.
func writeDOps(w *tree, head []byte) {
	le := binary.LittleEndian
	w.box("dOps", func() {
		w.u8(0)
		w.u8(head[1]) // channels
		w.u16(le.Uint16(head[2:]))
		w.u32(le.Uint32(head[4:]))
		w.u16(le.Uint16(head[8:]))
		w.bytes(head[10:]) // mapping family, and its table
	})
}
