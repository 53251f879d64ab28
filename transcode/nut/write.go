package nut

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
)

// The frame codes that Writer uses: everything about a frame is written out, which costs ten bytes.
const (
	codeFrame    = 1
	codeKeyframe = 2
	frameFlags   = flagCodedPTS | flagStreamID | flagSizeMSB | flagChecksum
)

const (
	version = 4
	// modePipe says that one syncpoint, at the beginning, is all there is: nobody can seek in a pipe, and
	// ffmpeg keeps a list of those it has read.
	modePipe    = 2
	maxDistance = 32767
)

// Writer writes a file for a reader that can't seek. It is for one goroutine.
type Writer struct {
	w       io.Writer
	streams []Stream
	buf     []byte
	begun   bool
}

// NewWriter writes the headers of a file with those streams.
func NewWriter(w io.Writer, streams []Stream) (*Writer, error) {
	if len(streams) == 0 || len(streams) > maxStreams {
		return nil, fmt.Errorf("nut: %d streams: %w", len(streams), ErrLimit)
	}
	nw := &Writer{w: w, streams: streams}
	b := append([]byte(nil), fileID...)
	b = appendPacket(b, startMain, nw.mainHeader())
	for i, s := range streams {
		if len(s.Extradata) > MaxExtradata {
			return nil, fmt.Errorf("nut: a configuration of %d bytes: %w", len(s.Extradata), ErrLimit)
		}
		b = appendPacket(b, startStream, streamHeader(i, s))
	}
	for i, s := range streams {
		if s.FrameRate > 0 {
			b = appendPacket(b, startInfo, rateInfo(i, s.FrameRate))
		}
	}
	_, err := w.Write(b)
	return nw, err
}

// WriteFrame writes a frame. PTS must not be negative. A frame that is too large is an error that leaves
// the writer as it was; after others, from the underlying writer, it is of no use.
func (w *Writer) WriteFrame(f Frame) error {
	if len(f.Data) > MaxFrame {
		return fmt.Errorf("nut: a frame of %d bytes: %w", len(f.Data), ErrLimit)
	}
	if f.PTS < 0 {
		return fmt.Errorf("nut: the time %d is negative", f.PTS)
	}
	b := w.buf[:0]
	if !w.begun {
		w.begun = true
		at := appendV(nil, uint64(f.PTS)*uint64(len(w.streams))+uint64(f.Stream)) // one time base a stream
		b = appendPacket(b, startSyncpoint, append(at, 0))
	}
	head := len(b)
	code := byte(codeFrame)
	if f.Key {
		code = codeKeyframe
	}
	b = append(b, code)
	b = appendV(b, uint64(f.Stream))
	b = appendV(b, uint64(f.PTS)+1) // the least significant bits only would be a number below 1<<msb_pts_shift
	b = appendV(b, uint64(len(f.Data)))
	b = binary.BigEndian.AppendUint32(b, crc(b[head:]))
	w.buf = append(b, f.Data...)
	_, err := w.w.Write(w.buf)
	return err
}

// appendPacket appends a packet with its startcode, length and checksums.
func appendPacket(b []byte, startcode uint64, body []byte) []byte {
	from := len(b)
	b = binary.BigEndian.AppendUint64(b, startcode)
	b = appendV(b, uint64(len(body)+4))
	if len(body)+4 > longPacket {
		b = binary.BigEndian.AppendUint32(b, crc(b[from:]))
	}
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc(body))
}

func (w *Writer) mainHeader() []byte {
	b := appendV(nil, version)
	b = appendV(b, 0) // minor version
	b = appendV(b, uint64(len(w.streams)))
	b = appendV(b, maxDistance)
	b = appendV(b, uint64(len(w.streams)))
	for _, s := range w.streams {
		b = appendV(b, 1)
		b = appendV(b, uint64(s.Timescale))
	}
	// The table of 256 frame codes, in runs; the code 'N' is in none of them.
	const allFields, reserved = 6, 256 - 1 - 3
	for _, run := range []struct{ flags, count uint64 }{
		{flagInvalid, 1}, {frameFlags, 1}, {frameFlags | flagKey, 1}, {flagInvalid, reserved},
	} {
		b = appendV(b, run.flags)
		b = appendV(b, allFields)
		b = appendS(b, 0) // pts_delta
		b = appendV(b, 1) // size_mul
		b = appendV(b, 0) // stream_id
		b = appendV(b, 0) // size_lsb
		b = appendV(b, 0) // reserved_count
		b = appendV(b, run.count)
	}
	b = appendV(b, 0) // elision headers
	return appendV(b, modePipe)
}

func streamHeader(i int, s Stream) []byte {
	b := appendV(nil, uint64(i))
	class := uint64(0)
	if s.Audio {
		class = 1
	}
	b = appendV(b, class)
	b = appendV(b, uint64(len(s.Tag)))
	b = append(b, s.Tag...)
	b = appendV(b, uint64(i))           // time base
	b = appendV(b, 0)                   // msb_pts_shift: timestamps are written whole
	b = appendV(b, uint64(s.Timescale)) // max_pts_distance
	b = appendV(b, 0)                   // decode_delay: ffmpeg's decoders find it out
	b = appendV(b, 0)                   // flags
	b = appendV(b, uint64(len(s.Extradata)))
	b = append(b, s.Extradata...)
	if s.Audio {
		b = appendV(b, uint64(s.SampleRate))
		b = appendV(b, 1)
		return appendV(b, uint64(s.Channels))
	}
	b = appendV(b, uint64(s.Width))
	b = appendV(b, uint64(s.Height))
	b = appendV(b, 0) // sample aspect ratio: the decoder knows
	b = appendV(b, 0)
	return appendV(b, 0) // colour space
}

// rateInfo tells ffmpeg the nominal frame rate. Its encoders share the bits out by it, and its own way of
// finding it out is to wait.
func rateInfo(i int, rate float64) []byte {
	const utf8 = -1
	num, den := fraction(rate)
	b := appendV(nil, uint64(i+1))
	b = append(b, 0, 0, 0) // no chapter
	b = appendV(b, 1)
	b = appendString(b, "r_frame_rate")
	b = appendS(b, utf8)
	return appendString(b, fmt.Sprintf("%d/%d", num, den))
}

func appendString(b []byte, s string) []byte {
	return append(appendV(b, uint64(len(s))), s...)
}

// fraction turns a frame rate into a fraction, with the denominators that television has.
func fraction(rate float64) (num, den int) {
	dens := []int{1, 1001, 1000}
	i := slices.IndexFunc(dens, func(d int) bool {
		n := nominal(rate, d)
		return math.Abs(n/float64(d)-rate) < 1e-4*rate
	})
	if i < 0 {
		i = len(dens) - 1
	}
	return int(nominal(rate, dens[i])), dens[i]
}

// nominal is the numerator of rate over den: for 1001, a multiple of a thousand.
func nominal(rate float64, den int) float64 {
	if den == 1001 {
		return math.Round(rate*1.001) * 1000
	}
	return math.Round(rate * float64(den))
}
