//go:build linux

package transcode

import (
	"testing"

	"pushcart/media"
	"pushcart/transcode/nut"
	"pushcart/transcode/transcodetest"
)

// TestMain makes the test binary an ffmpeg where its name says so.
func TestMain(m *testing.M) { transcodetest.Main(m, copyPictures) }

// fake is a configuration with an ffmpeg of a kind.
func fake(t *testing.T, kind string, rungs ...Rung) Config {
	t.Helper()
	cfg := ladder(rungs...)
	cfg.FFmpeg = transcodetest.Fake(t, kind)
	return cfg
}

// copyPictures copies what comes in to each rung's pipe, as far as the kind of ffmpeg lets it.
func copyPictures(f *transcodetest.FFmpeg) {
	src := f.In.Streams()[0]
	track := media.Track{Codec: media.CodecH264, Config: src.Extradata}
	src.Extradata = byteStream(parameterSets(src.Extradata))
	var outs []*nut.Writer
	for _, a := range f.Args {
		if a == "-map" {
			outs = append(outs, f.Out(len(outs), src))
		}
	}
	for n := 0; ; n++ {
		p, ok := f.Next(40)
		if !ok {
			return
		}
		switch {
		case f.Kind == "moves times":
			p.PTS++
		case f.Kind == "makes no keyframes" && n > 0:
			p.Data = p.Data[:0:0]
		}
		p.Data = byteStream(nals(media.NALUnits(media.NALLengthSize(track), p.Data)))
		for _, w := range outs {
			if w.WriteFrame(p) != nil {
				return
			}
		}
	}
}

func nals(seq func(func([]byte) bool)) (list [][]byte) {
	for n := range seq {
		list = append(list, n)
	}
	return list
}

// byteStream writes NAL units as annex B has them.
func byteStream(nals [][]byte) []byte {
	var b []byte
	for _, n := range nals {
		b = append(append(b, 0, 0, 0, 1), n...)
	}
	return b
}

// parameterSets takes an avcC of one SPS and one PPS apart.
func parameterSets(avcC []byte) [][]byte {
	sps := avcC[8:][:int(avcC[6])<<8|int(avcC[7])]
	rest := avcC[8+len(sps)+1:]
	return [][]byte{sps, rest[2:][:int(rest[0])<<8|int(rest[1])]}
}
