package demo

import "encoding/binary"

// messageName is that of the data messages that become cues, by the server's own configuration (cues.messages).
const messageName = "cue"

// Of RTMP (Adobe, version 1.0): the type of AMF0 data messages (7.1.3), the stream that createStream makes first, and
// a chunk stream that gomedia, which has no data messages, does not use.
const (
	typeData      = 18
	firstStream   = 1
	messageStream = 20
)

// cueMessage returns a data message as one chunk: the name and one JSON text, for the picture with the time ms. It is
// shorter than the chunks that play has agreed on.
func cueMessage(json []byte, ms uint32) []byte {
	body := amfString(nil, messageName)
	body = amfString(body, string(json))
	extended := ms >= 0xffffff
	field := ms
	if extended {
		field = 0xffffff
	}
	b := []byte{messageStream} // type 0: with all fields
	b = append(b, byte(field>>16), byte(field>>8), byte(field))
	b = append(b, byte(len(body)>>16), byte(len(body)>>8), byte(len(body)), typeData)
	b = binary.LittleEndian.AppendUint32(b, firstStream)
	if extended {
		b = binary.BigEndian.AppendUint32(b, ms)
	}
	return append(b, body...)
}

// amfString appends a string in AMF0 (2.4), of at most 64 KiB.
func amfString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint16(append(b, 2), uint16(len(s)))
	return append(b, s...)
}
