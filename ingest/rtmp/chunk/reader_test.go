package chunk

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"reflect"
	"testing"
	"testing/iotest"
)

var testLimits = Limits{Control: 64, Command: 1 << 10, Data: 1 << 10, Audio: 4 << 10, Video: 1 << 20, Buffered: 2 << 20}

// wire builds chunk streams byte by byte.
type wire struct{ bytes.Buffer }

// header writes a basic header with the shortest form of id.
func (w *wire) header(format, id int) *wire {
	switch {
	case id < 64:
		w.WriteByte(byte(format<<6 | id))
	case id < 320:
		w.Write([]byte{byte(format << 6), byte(id - 64)})
	default:
		w.Write([]byte{byte(format<<6 | 1), byte(id - 64), byte((id - 64) >> 8)})
	}
	return w
}

func (w *wire) u24(v int) *wire { w.Write([]byte{byte(v >> 16), byte(v >> 8), byte(v)}); return w }
func (w *wire) u32(v uint32) *wire {
	w.Write(binary.BigEndian.AppendUint32(nil, v))
	return w
}
func (w *wire) bytes(b ...byte) *wire       { w.Write(b); return w }
func (w *wire) fill(n int, b byte) *wire    { w.Write(bytes.Repeat([]byte{b}, n)); return w }
func (w *wire) size(n uint32) *wire         { return w.full(2, 0, 4, TypeSetChunkSize, 0).u32(n) }
func (w *wire) abort(id uint32) *wire       { return w.full(2, 0, 4, TypeAbort, 0).u32(id) }
func (w *wire) delta(id, d, n, k int) *wire { return w.header(1, id).u24(d).u24(n).bytes(byte(k)) }

// full writes a header of type 0.
func (w *wire) full(id, time, length, kind int, stream uint32) *wire {
	w.header(0, id).u24(time).u24(length).bytes(byte(kind))
	w.Write(binary.LittleEndian.AppendUint32(nil, stream))
	return w
}

// got is a message with its payload in short: length and first byte.
type got struct {
	Type   uint8
	Stream uint32
	Time   uint32
	Length int
	First  byte
}

func readAll(r io.Reader, limits Limits) ([]got, error) {
	in := NewReader(bufio.NewReaderSize(r, 64), limits)
	var all []got
	for {
		m, err := in.Next()
		if err != nil {
			return all, err
		}
		g := got{Type: m.Type, Stream: m.Stream, Time: m.Timestamp, Length: len(m.Data)}
		for i, b := range m.Data {
			if i == 0 {
				g.First = b
			} else if b != g.First {
				return all, fmt.Errorf("byte %d of a message of %d is %#x, not %#x", i, len(m.Data), b, g.First)
			}
		}
		all = append(all, g)
	}
}

func TestReader(t *testing.T) {
	for _, test := range []struct {
		name string
		in   *wire
		want []got
	}{
		{"all header types", new(wire).
			full(4, 1000, 5, TypeAudio, 1).fill(5, 'a').
			delta(4, 20, 6, TypeAudio).fill(6, 'b').
			header(2, 4).u24(30).fill(6, 'c').
			header(3, 4).fill(6, 'd'),
			[]got{{8, 1, 1000, 5, 'a'}, {8, 1, 1020, 6, 'b'}, {8, 1, 1050, 6, 'c'}, {8, 1, 1080, 6, 'd'}}},
		{"IDs of one, two and three bytes", new(wire).
			full(63, 0, 1, 8, 1).fill(1, 'a').full(64, 0, 1, 8, 1).fill(1, 'b').full(319, 0, 1, 8, 1).fill(1, 'c').
			full(320, 0, 1, 8, 1).fill(1, 'd').full(65599, 0, 1, 8, 1).fill(1, 'e'),
			[]got{{8, 1, 0, 1, 'a'}, {8, 1, 0, 1, 'b'}, {8, 1, 0, 1, 'c'}, {8, 1, 0, 1, 'd'}, {8, 1, 0, 1, 'e'}}},
		{"messages interleaved", new(wire).
			full(6, 40, 300, TypeVideo, 1).fill(128, 'v').
			full(4, 41, 130, TypeAudio, 1).fill(128, 'a').
			header(3, 6).fill(128, 'v').
			header(3, 4).fill(2, 'a').
			header(3, 6).fill(44, 'v'),
			[]got{{8, 1, 41, 130, 'a'}, {9, 1, 40, 300, 'v'}}},
		{"empty messages", new(wire).
			full(4, 5, 0, TypeAudio, 1).header(3, 4).header(3, 4).full(6, 0, 0, TypeVideo, 1),
			[]got{{8, 1, 5, 0, 0}, {8, 1, 10, 0, 0}, {8, 1, 15, 0, 0}, {9, 1, 0, 0, 0}}},
		{"chunk size of one", new(wire).size(1).
			full(4, 0, 3, TypeAudio, 1).fill(1, 'a').header(3, 4).fill(1, 'a').header(3, 4).fill(1, 'a'),
			[]got{{8, 1, 0, 3, 'a'}}},
		{"chunk size changes inside a message", new(wire).
			full(6, 0, 1128, TypeVideo, 1).fill(128, 'v').size(1<<31-1).header(3, 6).fill(1000, 'v'),
			[]got{{9, 1, 0, 1128, 'v'}}},
		{"abort", new(wire).
			full(6, 7, 200, TypeVideo, 1).fill(128, 'v').abort(6).full(6, 8, 3, TypeVideo, 1).fill(3, 'w').abort(99),
			[]got{{9, 1, 8, 3, 'w'}}},
		{"a new header gives up the message before", new(wire).
			full(6, 7, 200, TypeVideo, 1).fill(128, 'v').delta(6, 1, 3, TypeVideo).fill(3, 'w'),
			[]got{{9, 1, 8, 3, 'w'}}},
		{"stream that begins with type 1, as librtmp's", new(wire).
			delta(5, 9, 2, TypeAudio).fill(2, 'a'),
			[]got{{8, 0, 9, 2, 'a'}}},
		{"time wraps", new(wire).
			full(4, 0xFFFFFF, 1, TypeAudio, 1).u32(0xFFFFFFF0).fill(1, 'a').delta(4, 0x20, 1, TypeAudio).fill(1, 'b'),
			[]got{{8, 1, 0xFFFFFFF0, 1, 'a'}, {8, 1, 0x10, 1, 'b'}}},
		{"a delta that goes back, in an extended field", new(wire).
			full(4, 100, 1, TypeAudio, 1).fill(1, 'a').delta(4, 0xFFFFFF, 1, TypeAudio).u32(0xFFFFFFFF).fill(1, 'b'),
			[]got{{8, 1, 100, 1, 'a'}, {8, 1, 99, 1, 'b'}}},
		{"second message of ffmpeg: type 3 after type 0", new(wire).
			full(4, 33, 1, TypeAudio, 1).fill(1, 'a').header(3, 4).fill(1, 'b'),
			[]got{{8, 1, 33, 1, 'a'}, {8, 1, 66, 1, 'b'}}},
		{"two messages of one time, as librtmp's late in a show", new(wire).
			full(4, 7_200_000, 1, TypeAudio, 1).fill(1, 'a').header(3, 4).fill(1, 'b'),
			[]got{{8, 1, 7_200_000, 1, 'a'}, {8, 1, 7_200_000, 1, 'b'}}},
	} {
		for name, r := range readers(test.in.Bytes()) {
			all, err := readAll(r, testLimits)
			if err != io.EOF {
				t.Errorf("%s (%s): %v", test.name, name, err)
			}
			if !reflect.DeepEqual(all, test.want) {
				t.Errorf("%s (%s):\n got %v\nwant %v", test.name, name, all, test.want)
			}
		}
	}
}

func readers(b []byte) map[string]io.Reader {
	return map[string]io.Reader{
		"whole": bytes.NewReader(b), "bytes": iotest.OneByteReader(bytes.NewReader(b)), "halves": iotest.HalfReader(bytes.NewReader(b)),
	}
}

// Encoders differ in whether they repeat the extended timestamp on chunks of type 3, and in what.
func TestExtendedTimestamps(t *testing.T) {
	const late = 20_000_000 // 5 h 33 min
	repeats := map[string]func(w *wire, field, time uint32){
		"field repeated":   func(w *wire, field, time uint32) { w.u32(field) },
		"message's time":   func(w *wire, field, time uint32) { w.u32(time) },
		"nothing repeated": func(w *wire, field, time uint32) {},
	}
	for name, repeat := range repeats {
		w := new(wire)
		w.full(6, 0xFFFFFF, 300, TypeVideo, 1).u32(late).fill(128, 'v')
		w.header(3, 6)
		repeat(w, late, late)
		w.fill(128, 'v').full(4, 0xFFFFFF, 10, TypeAudio, 1).u32(late+3).fill(10, 'a')
		w.header(3, 6)
		repeat(w, late, late)
		w.fill(44, 'v')
		// A delta that needs the field, in one message of two chunks and another that begins with type 3.
		const far = 0x1000000
		w.delta(6, 0xFFFFFF, 130, TypeVideo).u32(far).fill(128, 'w')
		w.header(3, 6)
		repeat(w, far, late+far)
		w.fill(2, 'w').header(3, 6)
		repeat(w, far, late+2*far)
		w.fill(128, 'x').header(3, 6)
		repeat(w, far, late+2*far)
		w.fill(2, 'x')
		// And back to times that need none.
		w.header(2, 6).u24(40).fill(128, 'y').header(3, 6).fill(2, 'y')
		want := []got{
			{8, 1, late + 3, 10, 'a'}, {9, 1, late, 300, 'v'}, {9, 1, late + far, 130, 'w'},
			{9, 1, late + 2*far, 130, 'x'}, {9, 1, late + 2*far + 40, 130, 'y'},
		}
		for how, r := range readers(w.Bytes()) {
			all, err := readAll(r, testLimits)
			if err != io.EOF || !reflect.DeepEqual(all, want) {
				t.Errorf("%s (%s): %v\n got %v\nwant %v", name, how, err, all, want)
			}
		}
	}
}

// Where the field is left out, the last bytes of a message must not have to wait for the next message.
func TestNoWaitForRepeatedTime(t *testing.T) {
	w := new(wire).full(6, 0xFFFFFF, 129, TypeVideo, 1).u32(20_000_000).fill(128, 'v').header(3, 6).fill(1, 'v')
	r, end := io.Pipe()
	defer end.Close()
	go end.Write(w.Bytes())
	m, err := NewReader(bufio.NewReader(r), testLimits).Next()
	if err != nil || len(m.Data) != 129 {
		t.Errorf("got %d bytes, %v", len(m.Data), err)
	}
}

func TestReaderErrors(t *testing.T) {
	tooMany := new(wire)
	for id := range 10_000 {
		tooMany.full(3+id, 0, 5, TypeAudio, 1).fill(5, 'a')
	}
	hoard := new(wire).size(1)
	for id := range 60 {
		hoard.full(3+id, 0, 1<<20, TypeVideo, 1).fill(1, 'a')
	}
	small := testLimits
	small.Buffered = 64 << 10
	for _, test := range []struct {
		name   string
		in     *wire
		limits Limits
		format bool // else io.ErrUnexpectedEOF
	}{
		{"chunk size 0", new(wire).size(0), testLimits, true},
		{"chunk size 2^31", new(wire).size(1 << 31), testLimits, true},
		{"short Set Chunk Size", new(wire).full(2, 0, 3, TypeSetChunkSize, 0).fill(3, 0), testLimits, true},
		{"short Abort", new(wire).full(2, 0, 0, TypeAbort, 0), testLimits, true},
		{"stream that begins with type 2", new(wire).header(2, 4).u24(0), testLimits, true},
		{"stream that begins with type 3", new(wire).header(3, 4), testLimits, true},
		{"10,000 chunk streams", tooMany, testLimits, true},
		{"long command", new(wire).full(3, 0, 1025, TypeCommandAMF0, 0), testLimits, true},
		{"16 MB declared", new(wire).full(6, 0, 0xFFFFFF, TypeVideo, 1), testLimits, true},
		{"16 MB in a control message", new(wire).full(2, 0, 0xFFFFFF, TypeSetChunkSize, 0), testLimits, true},
		{"many unfinished messages", hoard, small, true},
		{"end in a basic header", new(wire).bytes(0), testLimits, false},
		{"end in a header", new(wire).full(6, 0, 0, TypeVideo, 1).header(1, 6), testLimits, false},
		{"end in an extended timestamp", new(wire).full(6, 0xFFFFFF, 1, TypeVideo, 1).bytes(1), testLimits, false},
		{"end in a payload", new(wire).full(6, 0, 10, TypeVideo, 1).fill(9, 'v'), testLimits, false},
	} {
		for name, r := range readers(test.in.Bytes()) {
			_, err := readAll(r, test.limits)
			if isFormat := errors.As(err, new(FormatError)); isFormat != test.format || !isFormat && err != io.ErrUnexpectedEOF {
				t.Errorf("%s (%s): %v", test.name, name, err)
			}
		}
	}
}

func TestSkipLong(t *testing.T) {
	limits := testLimits
	limits.SkipLong = true
	w := new(wire).full(6, 1, 0x200000, TypeVideo, 1).fill(128, 'x')
	for left := 0x200000 - 128; left > 0; left -= 128 {
		w.header(3, 6).fill(128, 'x')
	}
	w.full(6, 2, 3, TypeVideo, 1).fill(3, 'v')
	in := NewReader(bufio.NewReader(&w.Buffer), limits)
	m, err := in.Next()
	if err != nil || m.Timestamp != 2 || in.Skipped() != 1 || in.buffered != 0 {
		t.Errorf("got %d, %v, %d skipped, %d buffered", m.Timestamp, err, in.Skipped(), in.buffered)
	}
}

// A declared length costs nothing until the bytes come.
func TestBuffersGrowWithBytes(t *testing.T) {
	w := new(wire).full(6, 0, 1<<20, TypeVideo, 1).fill(128, 'v')
	in := NewReader(bufio.NewReader(&w.Buffer), testLimits)
	if _, err := in.Next(); err != io.EOF {
		t.Fatal(err)
	}
	if in.buffered > firstBlock {
		t.Errorf("128 of 2^20 bytes have come and %d are allocated", in.buffered)
	}
}

// What Append writes, a Reader reads, in any interleaving with Set Chunk Size.
func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	var b []byte
	var want []Message
	size := DefaultSize
	for i := range 500 {
		if i%10 == 0 {
			size = 1 + rnd.Intn(1000)
			b = Append(b, 2, size, Message{Type: TypeSetChunkSize, Data: binary.BigEndian.AppendUint32(nil, uint32(size))})
		}
		data := make([]byte, rnd.Intn(5000))
		rnd.Read(data)
		m := Message{Type: TypeVideo, Stream: rnd.Uint32(), Timestamp: rnd.Uint32() >> rnd.Intn(32), Data: data}
		b = Append(b, uint8(2+rnd.Intn(62)), size, m)
		want = append(want, m)
	}
	in := NewReader(bufio.NewReader(iotest.HalfReader(bytes.NewReader(b))), testLimits)
	for i, w := range want {
		m, err := in.Next()
		if err != nil || m.Type != w.Type || m.Stream != w.Stream || m.Timestamp != w.Timestamp || !bytes.Equal(m.Data, w.Data) {
			t.Fatalf("message %d: %v, time %d of %d, %d bytes of %d", i, err, m.Timestamp, w.Timestamp, len(m.Data), len(w.Data))
		}
	}
	if in.buffered != 0 {
		t.Errorf("%d bytes are counted as buffered at the end", in.buffered)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(new(wire).full(4, 1000, 5, TypeAudio, 1).fill(5, 'a').delta(4, 20, 6, TypeAudio).fill(6, 'b').header(3, 4).fill(6, 'd').Bytes())
	f.Add(new(wire).size(3).full(6, 0xFFFFFF, 9, TypeVideo, 1).u32(20_000_000).fill(3, 'v').header(3, 6).u32(20_000_000).fill(3, 'v').abort(6).Bytes())
	f.Add(new(wire).full(320, 0, 300, TypeVideo, 1).fill(128, 'v').full(64, 0, 0, TypeAudio, 1).header(3, 320).fill(128, 'v').Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(r io.Reader) (times []uint32, total int, err error) {
			in := NewReader(bufio.NewReaderSize(r, 16), testLimits)
			for {
				m, err := in.Next()
				if err != nil {
					return times, total, err
				}
				if in.buffered < 0 || in.buffered > testLimits.Buffered {
					t.Fatalf("%d bytes are buffered", in.buffered)
				}
				times = append(times, m.Timestamp)
				total += len(m.Data)
			}
		}
		times, total, err := read(bytes.NewReader(data))
		if total > len(data) {
			t.Fatalf("%d bytes of payload from %d", total, len(data))
		}
		if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.As(err, new(FormatError)) {
			t.Fatal(err)
		}
		times2, total2, err2 := read(iotest.OneByteReader(bytes.NewReader(data)))
		if !reflect.DeepEqual(times, times2) || total != total2 || err.Error() != err2.Error() {
			t.Fatalf("byte by byte it reads otherwise: %v and %v", err, err2)
		}
	})
}

// BenchmarkReadFrames reads a show of 2.5 Mb/s: 30 pictures a second, a keyframe of 60 KB every second,
// and AAC. One iteration is one frame.
func BenchmarkReadFrames(b *testing.B) {
	var show []byte
	frames := 0
	for i := range 30 {
		n := 8500
		if i == 0 {
			n = 60_000
		}
		show = Append(show, 6, 4096, Message{Type: TypeVideo, Stream: 1, Timestamp: uint32(i) * 33, Data: make([]byte, n)})
		show = Append(show, 4, 4096, Message{Type: TypeAudio, Stream: 1, Timestamp: uint32(i) * 33, Data: make([]byte, 340)})
		frames += 2
	}
	src := &loop{head: Append(nil, 2, 128, Message{Type: TypeSetChunkSize, Data: []byte{0, 0, 16, 0}}), data: show}
	in := NewReader(bufio.NewReaderSize(src, 16<<10), Limits{Control: 64, Audio: 1 << 18, Video: 8 << 20, Buffered: 12 << 20})
	b.SetBytes(int64(len(show) / frames))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

// loop yields head once and data for ever.
type loop struct {
	head, data, rest []byte
}

func (l *loop) Read(b []byte) (int, error) {
	if len(l.head) > 0 {
		n := copy(b, l.head)
		l.head = l.head[n:]
		return n, nil
	}
	if len(l.rest) == 0 {
		l.rest = l.data
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
