package cue

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// A journal is one file for each show's name: a line for each record, which is its CRC-32C in hexadecimal, a
// space, and JSON. Records that belong together are written in one go and count all or not at all. What a crash has
// left behind the last whole group is cut off; a line that has gone bad elsewhere costs its group only.

const (
	// maxLine bounds a line. The largest record has a cue's document.
	maxLine = 256 << 10
	// compactAt is how large a journal is at least before it is written anew, which it is when it is more
	// than twice what it has to be.
	compactAt = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendLine appends the line of a record.
func appendLine(dst []byte, rec *record) []byte {
	text, err := json.Marshal(rec)
	if err != nil {
		panic(err) // a document that is no JSON
	}
	return append(dst, sumLine(text)...)
}

// sumLine is the line of a record's JSON.
func sumLine(text []byte) []byte {
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text)
}

// encode returns the lines of records that belong together.
func encode(group []*record) []byte {
	var out []byte
	for i, rec := range group {
		if rec.Of, rec.Left = 0, 0; len(group) > 1 {
			rec.Of, rec.Left = len(group), len(group)-1-i
		}
		out = appendLine(out, rec)
	}
	return out
}

// parseLine reads a line without its end.
func parseLine(line []byte) (*record, bool) {
	sum, text, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(sum) != 8 {
		return nil, false
	}
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || crc32.Checksum(text, castagnoli) != uint32(want) {
		return nil, false
	}
	rec := new(record)
	if json.Unmarshal(text, rec) != nil || rec.Left < 0 {
		return nil, false
	}
	return rec, true
}

// readJournal calls apply with the records of whole groups. It returns where the last of these ends, and how
// many lines before that were of no use. The error is r's.
func readJournal(r io.Reader, apply func(*record)) (good int64, bad int, err error) {
	in := bufio.NewReaderSize(r, maxLine)
	var group []*record
	var at int64
	badSince := 0 // lines of no use behind good
	for {
		line, err := in.ReadSlice('\n')
		at += int64(len(line))
		if errors.Is(err, bufio.ErrBufferFull) {
			group = nil
			continue // the rest of the line is going to be no line either
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return good, bad, err
		}
		rec, ok := parseLine(line[:len(line)-1])
		if !ok {
			badSince += 1 + len(group)
			group = nil
			continue
		}
		if n := len(group); n > 0 && (rec.Of != group[0].Of || rec.Left != group[0].Left-n) {
			badSince += n
			group = nil
		}
		if len(group) == 0 && rec.Left != max(rec.Of-1, 0) {
			badSince++ // the group's beginning is lost
			continue
		}
		if group = append(group, rec); rec.Left > 0 {
			continue
		}
		for _, rec := range group {
			apply(rec)
		}
		group = group[:0]
		good, bad, badSince = at, bad+badSince, 0
	}
}

// journal is the file of one show's name. It is for one goroutine.
type journal struct {
	path string
	file *os.File
	size int64 // up to the end of the last group
	// least is how large the journal was when it was last written anew.
	least int64
	// behind says that the state knows more than the file: it has to be written anew.
	behind  bool
	written uint64
}

// openJournal reads the journal at path and calls apply with its records. It is made with the first write if it is
// not there. bad is how many lines are lost.
func openJournal(path string, apply func(*record)) (j *journal, bad int, err error) {
	j = &journal{path: path}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return j, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	good, bad, err := readJournal(f, apply)
	if err == nil {
		err = f.Truncate(good)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	j.file, j.size = f, good
	return j, bad, nil
}

// append writes groups of records in one go. With sync, they are on disk when it returns. After an error
// none of them is.
func (j *journal) append(groups [][]*record, sync bool) error {
	if j.file == nil {
		return j.rewrite(groups)
	}
	var lines []byte
	for _, g := range groups {
		lines = append(lines, encode(g)...)
	}
	_, err := j.file.WriteAt(lines, j.size)
	if err == nil && sync {
		// After a sync that has failed nobody knows what is on disk, not even the next sync.
		if err = j.file.Sync(); err != nil {
			j.behind = true
		}
	}
	if err != nil {
		if cut := j.file.Truncate(j.size); cut != nil {
			j.behind = true
		}
		return unwrapPath(err)
	}
	j.size += int64(len(lines))
	j.written += uint64(len(lines))
	return nil
}

// commit keeps groups of records: it appends them, or writes all anew as dump says, if it is time or there is no
// other way.
func (j *journal) commit(groups [][]*record, dump func() [][]*record) error {
	if j.behind {
		return j.rewrite(dump())
	}
	if j.bloated() {
		if j.rewrite(dump()) == nil {
			return nil
		}
		j.least = j.size // again when it has doubled
	}
	return j.append(groups, true)
}

// bloated reports whether the journal should be written anew.
func (j *journal) bloated() bool { return j.size > compactAt && j.size > 2*j.least }

// rewrite replaces the journal by one of the given groups. It is either the old or the new, whatever happens.
func (j *journal) rewrite(groups [][]*record) error {
	temporary := j.path + ".new"
	f, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return unwrapPath(err)
	}
	out := bufio.NewWriterSize(f, 64<<10)
	var size int64
	for _, g := range groups {
		lines := encode(g)
		size += int64(len(lines))
		if _, err = out.Write(lines); err != nil {
			break
		}
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(temporary, j.path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(j.path))
	}
	if err != nil {
		f.Close()
		os.Remove(temporary)
		return unwrapPath(err)
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.size, j.least, j.behind = f, size, size, false
	j.written += uint64(size)
	return nil
}

func (j *journal) close() {
	if j.file != nil {
		j.file.Close()
		j.file = nil
	}
}

// syncDir makes a rename in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// unwrapPath takes the operation and the path from a file error: the sentence around it says them.
func unwrapPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
