// Package pushlog is the log of what a load tool sent and when, by which the benchmarks tell how long a
// frame took to come out of a server: one JSON object a line.
package pushlog

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// Entry is one message that was written.
type Entry struct {
	// Stream counts from 0.
	Stream int `json:"s"`
	// Picture is the number in the picture's mark (bench/show), -1 for a cue.
	Picture int `json:"p"`
	// DTS is the message's RTMP timestamp in milliseconds.
	DTS int64 `json:"dts"`
	// Wall is when writing it began, in nanoseconds since 1970.
	Wall int64 `json:"wall"`
	// Cue is the cue's id; empty for pictures.
	Cue string `json:"cue,omitempty"`
}

// Writer writes a log. Its methods may be called from any number of goroutines.
type Writer struct {
	mu   sync.Mutex
	buf  *bufio.Writer
	line []byte
	err  error
}

// NewWriter returns a Writer to w. It buffers: call Flush at the end.
func NewWriter(w io.Writer) *Writer { return &Writer{buf: bufio.NewWriterSize(w, 1<<16)} }

// Add appends e. The first error of the underlying writer sticks, and Flush returns it.
func (w *Writer) Add(e Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	b := strconv.AppendInt(append(w.line[:0], `{"s":`...), int64(e.Stream), 10)
	b = strconv.AppendInt(append(b, `,"p":`...), int64(e.Picture), 10)
	b = strconv.AppendInt(append(b, `,"dts":`...), e.DTS, 10)
	b = strconv.AppendInt(append(b, `,"wall":`...), e.Wall, 10)
	if e.Cue != "" {
		b = strconv.AppendQuote(append(b, `,"cue":`...), e.Cue)
	}
	w.line = append(b, '}', '\n')
	_, w.err = w.buf.Write(w.line)
}

// Flush writes out what is buffered.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.buf.Flush()
	}
	return w.err
}

// Read reads a whole log.
func Read(r io.Reader) ([]Entry, error) {
	var all []Entry
	d := json.NewDecoder(r)
	for {
		var e Entry
		switch err := d.Decode(&e); err {
		case nil:
			all = append(all, e)
		case io.EOF:
			return all, nil
		default:
			return nil, fmt.Errorf("push log, after %d entries: %w", len(all), err)
		}
	}
}
