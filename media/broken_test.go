package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"pushcart/media"
)

// A configuration that is cut off is an error, wherever the cut is, unless only what nobody looks at is
// missing.
func TestCutConfigs(t *testing.T) {
	for name, s := range samples(t) {
		track := s.track(t)
		whole, err := media.ParseConfig(track)
		if err != nil {
			t.Fatal(err)
		}
		config := track.Config
		needed := len(config)
		for n := range config {
			track.Config = config[:n]
			f, err := media.ParseConfig(track)
			if err == nil && n < needed {
				needed = n
			}
			if err == nil && f != whole && (f.CodedWidth != whole.CodedWidth || f.Codecs != whole.Codecs) {
				t.Errorf("%s: %d of %d bytes are read as %+v, all of them as %+v", name, n, len(config), f, whole)
			}
		}
		if needed < len(config)/4 && s.Codec != media.CodecAAC {
			t.Errorf("%s: %d of %d bytes are enough", name, needed, len(config))
		}
	}
}

func TestBrokenVideoConfigs(t *testing.T) {
	all := samples(t)
	avc := all["h264-main"].track(t).Config
	hevc := all["hevc-hdr"].track(t).Config
	av1 := all["av1-svt"].track(t).Config
	set := func(b []byte, at int, v ...byte) []byte {
		b = slices.Clone(b)
		copy(b[at:], v)
		return b
	}
	avcWith := func(sps, pps int, nal []byte) []byte {
		b := append(slices.Clone(avc[:5]), byte(0xE0|sps))
		for range sps {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(nal))), nal...)
		}
		b = append(b, byte(pps))
		for range pps {
			b = append(b, 0, 1, 0x68)
		}
		return b
	}
	sps := avc[8 : 8+int(avc[7])]
	for name, c := range map[string]struct {
		codec  media.Codec
		config []byte
		says   string
	}{
		"avcC version":          {media.CodecH264, set(avc, 0, 0), "version 0"},
		"avcC of start codes":   {media.CodecH264, append([]byte{0, 0, 0, 1}, sps...), "version 0"},
		"avcC length size":      {media.CodecH264, set(avc, 4, 0xFE), "3 bytes"},
		"avcC without SPS":      {media.CodecH264, avcWith(0, 1, sps), "no SPS"},
		"avcC without PPS":      {media.CodecH264, avcWith(1, 0, sps), "no PPS"},
		"avcC, empty SPS":       {media.CodecH264, avcWith(1, 1, nil), "SPS is empty"},
		"avcC, no SPS but PPS":  {media.CodecH264, avcWith(1, 1, []byte{0x68, 1, 2}), "type 8"},
		"avcC, a long SPS":      {media.CodecH264, avcWith(1, 1, append(slices.Clone(sps), make([]byte, 1<<13)...)), "at most 8192"},
		"avcC, many PPS":        {media.CodecH264, avcWith(1, 65, sps), "65 PPS, at most 64"},
		"avcC, SPS cut off":     {media.CodecH264, avcWith(1, 1, sps[:5]), "too early"},
		"avcC, endless code":    {media.CodecH264, avcWith(1, 1, append(slices.Clone(sps[:4]), 0, 1, 1)), "too early"},
		"avcC, more than 32":    {media.CodecH264, avcWith(1, 1, append(slices.Clone(sps[:4]), 0, 0, 3, 0, 0, 3, 0, 0, 3, 0, 1)), "32 bits"},
		"avcC, too large":       {media.CodecH264, make([]byte, 1<<16+1), "65537 bytes"},
		"avcC, 2^32 wide":       {media.CodecH264, avcWith(1, 1, hugeSPS(31)), "16385"},
		"avcC, cropped away":    {media.CodecH264, avcWith(1, 1, croppedSPS()), "crops the picture away"},
		"hvcC version":          {media.CodecHEVC, set(hevc, 0, 0), "version 0"},
		"hvcC length size":      {media.CodecHEVC, set(hevc, 21, 2), "3 bytes"},
		"hvcC without arrays":   {media.CodecHEVC, set(hevc, 22, 0)[:23], "missing"},
		"hvcC, only VPS":        {media.CodecHEVC, set(hevc, 22, 1), "missing"},
		"hvcC, many sets":       {media.CodecHEVC, set(hevc, 24, 0xFF, 0xFF), "65535 parameter sets"},
		"hvcC, SPS is a VPS":    {media.CodecHEVC, bytes.Replace(hevc, []byte{0x42, 1}, []byte{0x40, 1}, 1), "type 32"},
		"hvcC, empty set":       {media.CodecHEVC, set(hevc, 26, 0, 0), "empty"},
		"av1C, short":           {media.CodecAV1, av1[:3], "too early"},
		"av1C marker":           {media.CodecAV1, set(av1, 0, 1), "0x01"},
		"av1C without sequence": {media.CodecAV1, av1[:4], "no sequence header"},
		"av1C, sequence cut":    {media.CodecAV1, append(slices.Clone(av1[:4]), 0x0A, 2, 0, 0), "sequence header ends too early"},
	} {
		f, err := media.ParseConfig(media.Track{Codec: c.codec, Config: c.config})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v; want an error that says %q", name, f, err, c.says)
		}
	}
	if _, err := media.ParseConfig(media.Track{Codec: media.CodecAV1, Config: av1[:4]}); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("av1C without sequence header: %v, want ErrUnsupported", err)
	}
}

// bitString makes bytes of zeros and ones, with a one behind them.
func bitString(s string) []byte {
	s = strings.ReplaceAll(s, " ", "") + "1"
	b := make([]byte, (len(s)+7)/8)
	for i := range s {
		b[i/8] |= (s[i] - '0') << (7 - i%8)
	}
	return b
}

// baselineSPS is a Baseline SPS with that width and cropping.
func baselineSPS(width, cropping string) []byte {
	// id 0, log2_max_frame_num 0, POC type 2, one reference, no gaps; width; height 1; frames, direct; cropping; VUI
	return append([]byte{0x67, 66, 0, 30}, bitString("1 1 011 010 0"+width+"1 1 1"+cropping+"0")...)
}

// hugeSPS has a width of 2^n macroblocks, with no need of emulation prevention.
func hugeSPS(n int) []byte {
	nal := baselineSPS(strings.Repeat("0", n)+"1"+strings.Repeat("1", n), "0")
	return bytes.ReplaceAll(nal, []byte{0, 0}, []byte{0, 0, 3})
}

// croppedSPS is a macroblock wide, and cropped by more.
func croppedSPS() []byte { return baselineSPS("1", "1 0001000 0001000 1 1") }
