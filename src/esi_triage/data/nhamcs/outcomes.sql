-- outcomes: what happened after triage, one row a visit of the case table. Never a part of a case; only evaluation and the
-- training of a model of outcomes read it.
--
-- What     true, false, or null where the release does not tell. critical_care: admitted to critical care (ADMIT 1). died:
--          dead on arrival, died in the department, or discharged dead (HDSTAT 2). admitted: to this hospital (ADMITHOS).
--          transferred: to another hospital. observation: an observation stay, whatever followed.
-- Also     groups: race, region, stratum and psu, which belong in no case either, in a file of their own.
-- Source   NHAMCS ED public-use documentation, items "visit disposition" and "hospital admission".

CREATE TABLE outcome_lines_read AS
SELECT
    *,
    'nhamcs-' || year_of_file || '-' || whole(HOSPCODE) || '-' || whole(PATCODE) AS case_id,
    flag(ADMITHOS)                   AS admitted,
    CASE WHEN number(ADMIT) = 1 THEN true WHEN NOT admitted OR number(ADMIT) IN (2, 3, 4, 5, 6) THEN false END
        AS critical_care,
    flag(DIEDED) OR flag(DOA)
        OR CASE WHEN number(HDSTAT) = 2 THEN true WHEN NOT admitted OR number(HDSTAT) = 1 THEN false END AS died,
    flag(TRANOTH) OR coalesce(flag(TRANPSYC), false) AS transferred,
    flag(OBSHOS) OR flag(OBSDIS)     AS observation,
    flag(LWBS)                       AS left_without_being_seen,
    len(list_filter([ADMITHOS, ADMIT, HDSTAT, DIEDED, DOA, TRANOTH, TRANPSYC, OBSHOS, OBSDIS, LWBS],
        lambda cell: is_text(cell))) AS text_cells
FROM outcome_lines;

CREATE TABLE outcome_rows AS
WITH placed AS (
    SELECT
        o.*,
        v.case_id IS NOT NULL AS has_visit,
        row_number() OVER (PARTITION BY o.case_id ORDER BY o.file_no, o.source_row) AS occurrence
    FROM outcome_lines_read AS o
    LEFT JOIN (SELECT case_id FROM visits WHERE problem IS NULL) AS v ON v.case_id = o.case_id
)

SELECT
    *,
    CASE
        WHEN case_id IS NULL THEN 'HOSPCODE or PATCODE is no number'
        WHEN occurrence > 1 THEN 'YEAR, HOSPCODE and PATCODE occur twice; the first row is kept'
        WHEN NOT has_visit THEN 'there is no such visit in the case table'
        WHEN text_cells > 0 THEN 'text in a field for a code'
    END AS problem
FROM placed;

CREATE TABLE outcomes AS
SELECT
    v.case_id,
    o.critical_care OR o.died AS critical,
    o.critical_care, o.died, o.admitted, o.transferred, o.observation, o.left_without_being_seen
FROM visits AS v
LEFT JOIN outcome_rows AS o ON o.case_id = v.case_id AND o.problem IS NULL
WHERE v.problem IS NULL
ORDER BY v.year, v.file_no, v.source_row;

-- What an audit compares, and the design that survey-weighted variances need: strata and primary sampling units, masked.
CREATE TABLE groups AS
SELECT
    case_id,
    getvariable('race')[design[1]]   AS race,
    getvariable('region')[design[2]] AS region,
    CAST(CAST(design[3] AS BIGINT) AS VARCHAR) AS stratum,
    CAST(CAST(design[4] AS BIGINT) AS VARCHAR) AS psu
FROM visits
WHERE problem IS NULL
ORDER BY year, file_no, source_row;

-- Hospital-years where the level number rises with admission (codes.toml, reversed_group).
CREATE TABLE reversed_groups AS
SELECT v."group", count(*) AS visits, corr(v.gold, CAST(o.admitted AS INTEGER)) AS correlation
FROM visits AS v JOIN outcomes AS o USING (case_id)
WHERE v.problem IS NULL AND v.gold IS NOT NULL AND o.admitted IS NOT NULL
GROUP BY v."group", v.year
HAVING count(*) >= $visits AND count(*) FILTER (o.admitted) >= $admitted
    AND NOT isnan(correlation) AND correlation >= $correlation
ORDER BY v.year, v."group";
