package origin

import (
	"hash/maphash"
	"strconv"
	"sync/atomic"
)

// valueCache keeps header values that come again with every viewer of the same part: lengths and entity
// tags. Without it each response would allocate its own. It is direct mapped: a value that finds its
// slot taken by another takes the slot over. The zero value is usable.
type valueCache struct {
	numbers [1024]atomic.Pointer[numberValue]
	tags    [256]atomic.Pointer[tagValues]
}

type numberValue struct {
	n     int64
	value []string
}

// tagValues are the entity tags of a document as it is and compressed: two representations must not share
// a strong tag (RFC 9110 section 8.8.3.3).
type tagValues struct{ identity, gzip []string }

var tagSeed = maphash.MakeSeed()

// number returns n, at least zero, in decimal as a header value.
func (c *valueCache) number(n int64) []string {
	slot := &c.numbers[uint64(n)%uint64(len(c.numbers))]
	if v := slot.Load(); v != nil && v.n == n {
		return v.value
	}
	v := &numberValue{n, []string{strconv.FormatInt(n, 10)}}
	slot.Store(v)
	return v.value
}

// tag returns the entity tags of a document whose own is etag, quoted.
func (c *valueCache) tag(etag string) *tagValues {
	slot := &c.tags[maphash.String(tagSeed, etag)%uint64(len(c.tags))]
	if v := slot.Load(); v != nil && v.identity[0] == etag {
		return v
	}
	v := &tagValues{[]string{etag}, []string{etag[:len(etag)-1] + `-gzip"`}}
	slot.Store(v)
	return v
}
