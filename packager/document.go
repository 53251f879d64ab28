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
	render func() []byte // nil: it is one of list's texts
	list   *playlist
	what   text

	tagOnce, renderOnce, gzipOnce sync.Once
	tag                           string
	text, gzip                    []byte
}

// text says which of a playlist's texts a Document is: a Skip, or keysText.
type text uint8

// keysText is the playlist of key pictures.
const keysText = text(SkipDateRanges) + 1

// NewDocument returns a document whose text is what render returns, which is called at most once. tag is
// unlike that of any other text under the same URL, and has no quotation marks.
func NewDocument(tag string, render func() []byte) *Document {
	return &Document{tag: strconv.Quote(tag), render: render}
}

// Text returns the document. Nobody modifies it.
func (d *Document) Text() []byte {
	d.renderOnce.Do(func() {
		switch {
		case d.render != nil:
			d.text = d.render()
			d.render = nil
		case d.what == keysText:
			d.ETag() // needs the list
			d.text = d.list.renderKeys()
			d.list = nil // it may have been superseded long ago
		default:
			d.text = d.list.render(Skip(d.what))
		}
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
func (d *Document) ETag() string {
	d.tagOnce.Do(func() {
		if l := d.list; d.tag == "" {
			d.tag = `"` + l.epoch + "-" + l.name + "-" + strconv.FormatInt(l.version, 36) + "-" + strconv.Itoa(int(d.what)) + `"`
		}
	})
	return d.tag
}

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
