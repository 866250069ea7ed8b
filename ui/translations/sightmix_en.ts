<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>StemLane</name>
    <message numerus="yes">
        <source>%n point(s) drawn by hand.</source>
        <translation><numerusform>%n point drawn by hand.</numerusform><numerusform>%n points drawn by hand.</numerusform></translation>
    </message>
</context>
</TS>
