// Package record gets tracks from real encoders: it runs ffmpeg and takes the MP4 file apart with mp4ff, so
// that nothing of what is tested has a hand in what it is tested with. For tests only.
package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"

	"pushcart/media"
)

// FFmpeg skips the test if there is no ffmpeg (and fails it where CI is set, so that nobody takes a skipped
// test for a passed one).
func FFmpeg(t testing.TB) {
	t.Helper()
	for _, tool := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("CI needs %s: %v", tool, err)
			}
			t.Skipf("no %s: %v", tool, err)
		}
	}
}

// MP4 runs ffmpeg with args, which end before the name of the output file, and returns the fragmented MP4
// file.
func MP4(t testing.TB, args ...string) []byte {
	t.Helper()
	FFmpeg(t)
	out := filepath.Join(t.TempDir(), "out.mp4")
	// The moov waits for the first frames: libaom has no configuration before.
	args = append(append([]string{"-v", "error", "-nostdin", "-y"}, args...),
		"-movflags", "+frag_keyframe+delay_moov+default_base_moof", out)
	if msg, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %q: %v\n%s", args, err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Track returns the one track of a fragmented MP4 file, with ID 1, and its units.
func Track(t testing.TB, file []byte) (media.Track, []media.AccessUnit) {
	t.Helper()
	f, err := mp4.DecodeFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if f.Init == nil || len(f.Init.Moov.Traks) != 1 {
		t.Fatal("not a fragmented file of one track")
	}
	mdia := f.Init.Moov.Trak.Mdia
	track := media.Track{ID: 1, Timescale: int64(mdia.Mdhd.Timescale)}
	track.Codec, track.Config, err = config(mdia.Minf.Stbl.Stsd)
	if err != nil {
		t.Fatal(err)
	}
	var units []media.AccessUnit
	for _, segment := range f.Segments {
		for _, fragment := range segment.Fragments {
			samples, err := fragment.GetFullSamples(f.Init.Moov.Mvex.Trex)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range samples {
				units = append(units, media.AccessUnit{
					Track: 1, DTS: int64(s.DecodeTime), PTS: s.PresentationTime(),
					RandomAccess: track.Kind() != media.KindVideo || s.IsSync(), Data: s.Data,
				})
			}
		}
	}
	return track, units
}

// config finds the decoder configuration in a sample description.
func config(stsd *mp4.StsdBox) (media.Codec, []byte, error) {
	switch {
	case stsd.AvcX != nil:
		b, err := body(stsd.AvcX.AvcC)
		return media.CodecH264, b, err
	case stsd.HvcX != nil:
		b, err := body(stsd.HvcX.HvcC)
		return media.CodecHEVC, b, err
	case stsd.Av01 != nil:
		b, err := body(stsd.Av01.Av1C)
		return media.CodecAV1, b, err
	case stsd.Mp4a != nil:
		return media.CodecAAC, stsd.Mp4a.Esds.DecConfigDescriptor.DecSpecificInfo.DecConfig, nil
	case stsd.Opus != nil:
		return media.CodecOpus, opusHead(stsd.Opus.Dops), nil
	}
	return "", nil, errors.New("a codec that the house does not carry")
}

func body(box mp4.Box) ([]byte, error) {
	var b bytes.Buffer
	if err := box.Encode(&b); err != nil {
		return nil, fmt.Errorf("%s: %w", box.Type(), err)
	}
	return b.Bytes()[8:], nil
}

// opusHead is the body of the OpusHead that d was made from (RFC 7845 5.1).
func opusHead(d *mp4.DopsBox) []byte {
	b := []byte{1, d.OutputChannelCount}
	b = binary.LittleEndian.AppendUint16(b, d.PreSkip)
	b = binary.LittleEndian.AppendUint32(b, d.InputSampleRate)
	b = binary.LittleEndian.AppendUint16(b, uint16(d.OutputGain))
	b = append(b, d.ChannelMappingFamily)
	if d.ChannelMappingFamily != 0 {
		b = append(b, d.StreamCount, d.CoupledCount)
		b = append(b, d.ChannelMapping...)
	}
	return b
}
