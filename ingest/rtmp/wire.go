package rtmp

import (
	"encoding/binary"
	"fmt"
	"time"

	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/chunk"
)

// Chunk streams that answers go out on, as Adobe's servers number them.
const (
	chunkStreamControl = 2
	chunkStreamCommand = 3
)

const (
	// sendChunkSize fits every answer behind that to connect into one chunk.
	sendChunkSize = 4096
	// window is what we ask clients to acknowledge, and the limit we set on them: none that matters.
	window = 2_500_000
	// minWindow is the least that acknowledgements are sent for, whatever the client asks.
	minWindow = 4096
)

// meter counts what arrives, acknowledges it, and keeps the budget before publish.
type meter struct {
	conn   *conn
	total  uint64
	acked  uint64
	window uint64 // zero until the client has connected
	left   int    // bytes until publish; below zero there is no budget
}

// Read reads from the connection. It may send an acknowledgement, so it must run in the connection's
// goroutine.
func (m *meter) Read(b []byte) (int, error) {
	if m.left == 0 {
		return 0, FormatError(fmt.Sprintf("more than %d bytes came before a publish", budgetBeforePublish))
	}
	if m.left > 0 {
		b = b[:min(len(b), m.left)]
	}
	n, err := m.conn.nc.Read(b)
	m.total += uint64(n)
	m.conn.server.bytes.Add(int64(n))
	if m.left > 0 {
		m.left -= n
	}
	// Adobe's clients stop when a whole window is unacknowledged: half of it leaves time to tell them.
	if err == nil && m.window > 0 && m.total-m.acked >= m.window/2 {
		m.acked = m.total
		err = m.conn.send(control(chunk.TypeAck, uint32(m.total)))
	}
	return n, err
}

func (m *meter) setWindow(size uint32) { m.window = uint64(max(size, minWindow)) }

// writer writes to the connection within the write timeout.
type writer struct{ c *conn }

func (w writer) Write(b []byte) (int, error) {
	w.c.nc.SetWriteDeadline(time.Now().Add(w.c.server.conf.WriteTimeout))
	return w.c.nc.Write(b)
}

// send sends messages in one write.
func (c *conn) send(messages ...chunk.Message) error {
	c.out = c.out[:0]
	for _, m := range messages {
		id := uint8(chunkStreamControl)
		if m.Type == chunk.TypeCommandAMF0 {
			id = chunkStreamCommand
		}
		c.out = chunk.Append(c.out, id, c.sendSize, m)
		if m.Type == chunk.TypeSetChunkSize {
			c.sendSize = sendChunkSize
		}
	}
	_, err := writer{c}.Write(c.out)
	return err
}

// control makes a protocol control message of one number.
func control(messageType uint8, v uint32) chunk.Message {
	return chunk.Message{Type: messageType, Data: binary.BigEndian.AppendUint32(nil, v)}
}

func windowAckSize() chunk.Message { return control(chunk.TypeWindowAckSize, window) }

func setChunkSize() chunk.Message { return control(chunk.TypeSetChunkSize, sendChunkSize) }

// peerBandwidth sets the limit that clients may take or leave ("dynamic").
func peerBandwidth() chunk.Message {
	m := control(chunk.TypePeerBandwidth, window)
	m.Data = append(m.Data, 2)
	return m
}

func userControl(event uint16, v uint32) chunk.Message {
	b := binary.BigEndian.AppendUint16(nil, event)
	return chunk.Message{Type: chunk.TypeUserControl, Data: binary.BigEndian.AppendUint32(b, v)}
}

// reply makes a command message: its name, the transaction it belongs to, and its arguments.
func reply(stream uint32, name string, transaction float64, args ...any) chunk.Message {
	b := amf.Append(nil, name, transaction)
	return chunk.Message{Type: chunk.TypeCommandAMF0, Stream: stream, Data: amf.Append(b, args...)}
}

// status is the object of onStatus, and of answers to connect.
func status(level, code, description string) amf.Object {
	return amf.Object{{Name: "level", Value: level}, {Name: "code", Value: code}, {Name: "description", Value: description}}
}

func onStatus(stream uint32, level, code, description string) chunk.Message {
	return reply(stream, "onStatus", 0, nil, status(level, code, description))
}
