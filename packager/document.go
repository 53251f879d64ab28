package packager

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"sync"
)

// Document is a text that every viewer gets the same bytes of. It is rendered and compressed at most
// once, at the first request for it. Its methods are safe for concurrent use.
type Document struct {
	render func() []byte
	tag    string

	renderOnce, gzipOnce sync.Once
	text, gzip           []byte
}

// NewDocument returns a document whose text is what render returns, which is called at most once. tag is
// unlike that of any other text under the same URL, and has no quotation marks.
func NewDocument(tag string, render func() []byte) *Document {
	return &Document{tag: strconv.Quote(tag), render: render}
}

// newDocument is NewDocument, as this package has always called it.
func newDocument(tag string, render func() []byte) *Document { return NewDocument(tag, render) }

// Text returns the document. Nobody modifies it.
func (d *Document) Text() []byte {
	d.renderOnce.Do(func() {
		d.text = d.render()
		d.render = nil
	})
	return d.text
}

// Gzip returns the document compressed with gzip. Nobody modifies it.
func (d *Document) Gzip() []byte {
	d.gzipOnce.Do(func() {
		text := d.Text()
		var b bytes.Buffer
		z := gzipWriters.Get().(*gzip.Writer)
		z.Reset(&b)
		z.Write(text) // a bytes.Buffer takes everything
		z.Close()
		gzipWriters.Put(z)
		d.gzip = bytes.Clone(b.Bytes())
	})
	return d.gzip
}

// ETag returns a strong validator of Text, quoted. It does not depend on compression.
func (d *Document) ETag() string { return d.tag }

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
