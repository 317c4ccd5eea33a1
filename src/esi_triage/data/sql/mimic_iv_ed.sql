-- MIMIC-IV-ED triage, cleaned: one row a stay, only what the triage nurse could know.
--
-- What     triage joined with edstays on stay_id. From edstays only gender and arrival_transport are taken: the other
--          columns (disposition, outtime, hadm_id) and the tables vitalsign, diagnosis, medrecon and pyxis are known
--          only after triage and must not reach a narrative.
-- Units    temperature °C, heart_rate and resp_rate per minute, spo2 %, sbp and dbp mmHg, pain 0-10.
-- Source   MIMIC-IV-ED v2.2, doi 10.13026/5ntk-km72; schemas as in mimic-code, mimic-iv-ed/buildmimic. Views `triage` and
--          `edstays` hold the CSV columns as text. Ranges: esi_triage.esi.vitals, passed in as parameters.
-- Missing  stays null. A number outside its range becomes null (never clipped) and is counted by the caller.

WITH typed AS (
    SELECT
        row_number() OVER ()                      AS source_row,
        trim(t.stay_id)                           AS stay_id,
        trim(t.subject_id)                        AS subject_id,
        nullif(trim(t.chiefcomplaint), '')        AS chief_complaint,
        TRY_CAST(t.temperature AS DOUBLE)         AS temperature,
        TRY_CAST(t.heartrate AS DOUBLE)           AS heartrate,
        TRY_CAST(t.resprate AS DOUBLE)            AS resprate,
        TRY_CAST(t.o2sat AS DOUBLE)               AS o2sat,
        TRY_CAST(t.sbp AS DOUBLE)                 AS sbp,
        TRY_CAST(t.dbp AS DOUBLE)                 AS dbp,
        nullif(trim(t.pain), '')                  AS pain_raw,
        TRY_CAST(t.acuity AS DOUBLE)              AS acuity,
        nullif(trim(t.acuity), '')                AS acuity_raw
    FROM triage AS t
),

-- The two names of a blood pressure are sometimes swapped or mistyped (DBP 879): neither can be trusted then.
pressures AS (
    SELECT
        *,
        CASE WHEN sbp BETWEEN $sbp_low AND $sbp_high THEN sbp END AS sbp_in_range,
        CASE WHEN dbp BETWEEN $dbp_low AND $dbp_high THEN dbp END AS dbp_in_range
    FROM typed
),

cleaned AS (
    SELECT
        *,
        -- A Fahrenheit field in which some typed Celsius: tell them apart by range, before any conversion.
        CASE
            WHEN temperature BETWEEN $temperature_c_low AND $temperature_c_high THEN temperature
            WHEN (temperature - 32) / 1.8 BETWEEN $temperature_c_low AND $temperature_c_high
                THEN round((temperature - 32) / 1.8, 1)
        END AS temperature_c,
        CASE WHEN heartrate BETWEEN $heart_rate_low AND $heart_rate_high THEN heartrate END AS heart_rate,
        CASE WHEN resprate BETWEEN $resp_rate_low AND $resp_rate_high THEN resprate END AS resp_rate,
        CASE WHEN o2sat BETWEEN $spo2_low AND $spo2_high THEN o2sat END AS spo2,
        CASE WHEN dbp_in_range >= sbp_in_range THEN NULL ELSE sbp_in_range END AS sbp_clean,
        CASE WHEN dbp_in_range >= sbp_in_range THEN NULL ELSE dbp_in_range END AS dbp_clean,
        -- Pain is free text: 8, "7-8" (mean), the letter o (zero), "unable", "ett". Above 10 (mostly 13) is null.
        CASE
            WHEN TRY_CAST(pain_raw AS DOUBLE) BETWEEN $pain_low AND $pain_high THEN TRY_CAST(pain_raw AS DOUBLE)
            WHEN lower(pain_raw) = 'o' THEN 0
            WHEN regexp_matches(pain_raw, '^\d{1,2}\s*-\s*\d{1,2}$') THEN
                CASE
                    WHEN CAST(regexp_extract(pain_raw, '^(\d+)', 1) AS INT) <= $pain_high
                     AND CAST(regexp_extract(pain_raw, '(\d+)$', 1) AS INT) <= $pain_high
                    THEN (CAST(regexp_extract(pain_raw, '^(\d+)', 1) AS INT)
                        + CAST(regexp_extract(pain_raw, '(\d+)$', 1) AS INT)) / 2.0
                END
        END AS pain,
        CASE WHEN acuity IN (1, 2, 3, 4, 5) THEN CAST(acuity AS TINYINT) END AS gold
    FROM pressures
),

stays AS (
    SELECT
        trim(stay_id) AS stay_id,
        any_value(upper(trim(gender))) AS gender,
        any_value(upper(trim(arrival_transport))) AS transport
    FROM edstays
    GROUP BY trim(stay_id)
)

SELECT
    c.source_row,
    c.stay_id,
    c.subject_id,
    c.chief_complaint,
    CASE s.gender WHEN 'F' THEN 'F' WHEN 'M' THEN 'M' END AS sex,
    CASE s.transport
        WHEN 'WALK IN' THEN 'walk-in'
        WHEN 'AMBULANCE' THEN 'ambulance'
        WHEN 'HELICOPTER' THEN 'helicopter'
        WHEN 'OTHER' THEN 'other'
    END AS arrival,
    c.temperature_c,
    c.heart_rate,
    c.resp_rate,
    c.spo2,
    c.sbp_clean AS sbp,
    c.dbp_clean AS dbp,
    c.pain,
    c.pain_raw,
    c.gold,
    -- for the build report: which rule took a value away, or changed it
    coalesce(c.temperature BETWEEN $temperature_c_low AND $temperature_c_high, false) AS rule_temperature_was_celsius,
    c.temperature IS NOT NULL AND c.temperature_c IS NULL AS rule_temperature_out_of_range,
    c.heartrate IS NOT NULL AND c.heart_rate IS NULL      AS rule_heart_rate_out_of_range,
    c.resprate IS NOT NULL AND c.resp_rate IS NULL        AS rule_resp_rate_out_of_range,
    c.o2sat IS NOT NULL AND c.spo2 IS NULL                AS rule_spo2_out_of_range,
    c.sbp IS NOT NULL AND c.sbp_in_range IS NULL          AS rule_sbp_out_of_range,
    c.dbp IS NOT NULL AND c.dbp_in_range IS NULL          AS rule_dbp_out_of_range,
    coalesce(c.dbp_in_range >= c.sbp_in_range, false)     AS rule_dbp_not_below_sbp,
    c.pain_raw IS NOT NULL AND c.pain IS NULL             AS rule_pain_without_number,
    c.acuity_raw IS NOT NULL AND c.gold IS NULL           AS rule_acuity_not_1_to_5
FROM cleaned AS c
LEFT JOIN stays AS s ON s.stay_id = c.stay_id
ORDER BY c.source_row
